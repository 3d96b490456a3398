import type { FactoryProvider } from '@nestjs/common';
import { AuditRecorder } from '#libs/audit';
import type { ContextTenant } from '#libs/context';
import { getEngine, ormOptions } from '#libs/persistence';
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
  useFactory: ({ shards, shardTimeoutMs, databaseRole }: AppConfig, recorder: AuditRecorder) =>
    new ShardRegistry({
      shards,
      patience: { connectMs: Math.min(shardTimeoutMs, MAX_CONNECT_MS), answerMs: shardTimeoutMs },
      ormOptions: ({ id, url }) => {
        const holds = (tenant: ContextTenant) => liesAmongOthers(placementOf(tenant), id);
        return ormOptions(url, tenantOrmOptions(getEngine(url), recorder, { role: databaseRole, guard: { holds } }));
      },
    }),
};

/** Whether a tenant's rows lie in the database of this shard itself. What is not known is left to the guard's other rules. */
function liesAmongOthers(placement: Placement | undefined, shardId: string): boolean {
  if (!placement) return true;
  return placement.shardId === shardId && placement.strategy === 'row';
}
