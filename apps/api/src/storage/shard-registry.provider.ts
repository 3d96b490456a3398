import type { FactoryProvider } from '@nestjs/common';
import { AuditRecorder } from '#libs/audit';
import { getEngine, ormOptions } from '#libs/persistence';
import { ShardRegistry } from '#libs/sharding';
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
      ormOptions: ({ url }) => ormOptions(url, tenantOrmOptions(getEngine(url), recorder, databaseRole)),
    }),
};
