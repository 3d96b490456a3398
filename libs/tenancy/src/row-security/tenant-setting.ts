import { type ContextTenant, findContext } from '#libs/context';
import { findSystemFrame, type StatementSettings } from '#libs/persistence';
import { findCrossing } from '../across/crossing.js';
import { placementOf } from '../placement-of.js';
import { assertPlaceName } from '../strategies/place-name.js';

/** Setting that names the tenant whose rows a statement may reach. */
export const TENANT_SETTING = 'rowhouse.tenant_id';

/** Value for "rows of all tenants, to read": the Max UUID of RFC 9562, which no tenant has. */
export const EVERY_TENANT = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** PostgreSQL's own, and last, so that no temporary table stands in for a tenant's. */
const TEMPORARY = 'pg_temp';

/** Back to the role that the connection was opened as: the owner of the tables, for work of the kit itself. */
const OWNER = 'none';

/**
 * What each statement on a tenant database tells PostgreSQL: as which role it runs, and for which tenant. Without a tenant
 * it names none, and the policies answer with an error. Work across tenants, and of the kit itself without a tenant,
 * reads all rows and writes none.
 *
 * @param role  application work runs as this one, which owns nothing; without it, as whoever opened the connection
 * @param searchesPath  whether tables are looked up in the schema of the tenant, for the strategy `search-path`
 */
export function tenantSettings(role?: string, searchesPath = false): StatementSettings {
  const names = [...(role === undefined ? [] : ['role']), TENANT_SETTING, ...(searchesPath ? ['search_path'] : [])];
  return {
    names,
    valuesOf: () => {
      const isKit = findSystemFrame() !== undefined;
      const tenant = findContext()?.tenant;
      const id = tenant?.id ?? (isKit || findCrossing() ? EVERY_TENANT : '');
      const values = role === undefined ? [id] : [isKit ? OWNER : role, id];
      return searchesPath ? [...values, pathOf(tenant)] : values;
    },
  };
}

/** Nowhere, when there is no tenant or its tables are elsewhere: nothing is found then, and nothing written. */
function pathOf(tenant: ContextTenant | undefined): string {
  const placement = tenant && placementOf(tenant);
  if (placement?.strategy !== 'search-path') return TEMPORARY;
  assertPlaceName(placement.schemaName);
  return `${placement.schemaName}, ${TEMPORARY}`;
}
