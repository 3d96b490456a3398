import { findContext } from '#libs/context';
import { findSystemFrame, type StatementSettings } from '#libs/persistence';
import { findCrossing } from '../across/crossing.js';

/** Setting that names the tenant whose rows a statement may reach. */
export const TENANT_SETTING = 'rowhouse.tenant_id';

/** Value for "rows of all tenants, to read": the Max UUID of RFC 9562, which no tenant has. */
export const EVERY_TENANT = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Back to the role that the connection was opened as: the owner of the tables, for work of the kit itself. */
const OWNER = 'none';

/**
 * What each statement on a tenant database tells PostgreSQL: as which role it runs, and for which tenant. Without a tenant
 * it names none, and the policies answer with an error. Work across tenants, and of the kit itself without a tenant,
 * reads all rows and writes none.
 *
 * @param role  application work runs as this one, which owns nothing; without it, as whoever opened the connection
 */
export function tenantSettings(role?: string): StatementSettings {
  return {
    names: role === undefined ? [TENANT_SETTING] : ['role', TENANT_SETTING],
    valuesOf: () => {
      const isKit = findSystemFrame() !== undefined;
      const tenant = findContext()?.tenant?.id ?? (isKit || findCrossing() ? EVERY_TENANT : '');
      return role === undefined ? [tenant] : [isKit ? OWNER : role, tenant];
    },
  };
}
