import { getEngine } from '#libs/persistence';
import { strategyEngines, type TenantDatabaseLimits } from '#libs/tenancy';
import type { AppConfig } from './app.config.js';
import { ConfigError } from './config.error.js';

/** Connections to a database of one tenant: one to work with, one for what its request does beside a transaction. */
const PER_TENANT = 2;

/** Connections that the pools of a shard may take: one pool for each strategy in which tenants share it. */
function connectionsOf(url: string, poolMax: number): number {
  const { name, wire } = getEngine(url);
  if (!wire) return 1;
  const shared = (['row', 'schema', 'search-path'] as const).filter((strategy) =>
    strategyEngines[strategy].includes(name),
  );
  return shared.length * poolMax;
}

/**
 * How many databases of single tenants may be open at once: the budget, without what the shards' own pools may take.
 * @throws {ConfigError} when nothing is left for a single one
 */
export function tenantDatabaseLimits({ shards, poolMax, connectionBudget }: Budgeted): TenantDatabaseLimits {
  const reserved = shards.reduce((sum, { url }) => sum + connectionsOf(url, poolMax), 0);
  const perTenant = shards.some(({ url }) => getEngine(url).wire) ? PER_TENANT : 1;
  const maxOpen = Math.floor((connectionBudget - reserved) / perTenant);
  if (maxOpen >= 1) return { maxOpen, pool: { max: PER_TENANT } };
  const remedy = `give at least ${reserved + perTenant}: the pools of the shards may take ${reserved}, POOL_MAX for each`;
  throw new ConfigError([{ name: 'CONNECTION_BUDGET', remedy }]);
}

type Budgeted = Pick<AppConfig, 'shards' | 'poolMax' | 'connectionBudget'>;
