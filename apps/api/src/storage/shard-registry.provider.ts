import type { FactoryProvider } from '@nestjs/common';
import { AuditRecorder } from '#libs/audit';
import type { ContextTenant } from '#libs/context';
import { type Engine, getEngine, ormOptions } from '#libs/persistence';
import { ShardRegistry } from '#libs/sharding';
import { type Placement, placementOf } from '#libs/tenancy';
import { AppConfig } from '../config/app.config.js';
import { tenantOrmOptions } from './tenant-orm-options.js';

/** Whoever is there accepts within seconds, however slow its answers. */
const MAX_CONNECT_MS = 5_000;

/** Every shard of the configuration; each opens at its first statement. */
export const shardRegistryProvider: FactoryProvider<ShardRegistry> = {
  provide: ShardRegistry,
  inject: [AppConfig, AuditRecorder],
  useFactory: ({ shards, shardTimeoutMs, databaseRole, poolMax }: AppConfig, recorder: AuditRecorder) =>
    new ShardRegistry({
      shards,
      patience: { connectMs: Math.min(shardTimeoutMs, MAX_CONNECT_MS), answerMs: shardTimeoutMs },
      ormOptions: ({ id, url }) => {
        const holds = (tenant: ContextTenant) => liesAmongOthers(placementOf(tenant), id);
        const engine = getEngine(url);
        const overrides = tenantOrmOptions(engine, recorder, { role: databaseRole, guard: { holds } });
        return ormOptions(url, overrides, { max: poolMax, acquireTimeoutMs: acquireMs(engine, shardTimeoutMs) });
      },
    }),
};

/**
 * How long to wait for a free connection. On servers no longer than for a new one: who stands in line has the shard's own
 * time still before it.
 */
export function acquireMs({ wire }: Engine, shardTimeoutMs: number): number {
  return wire ? Math.min(shardTimeoutMs, MAX_CONNECT_MS) : shardTimeoutMs;
}

/** Whether a tenant's rows lie in the database of this shard itself. What is not known is left to the guard's other rules. */
function liesAmongOthers(placement: Placement | undefined, shardId: string): boolean {
  if (!placement) return true;
  return placement.shardId === shardId && placement.strategy === 'row';
}
