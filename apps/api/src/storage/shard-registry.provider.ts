import type { FactoryProvider } from '@nestjs/common';
import { AuditRecorder } from '#libs/audit';
import { getEngine, ormOptions } from '#libs/persistence';
import { ShardRegistry } from '#libs/sharding';
import { AppConfig } from '../config/app.config.js';
import { tenantOrmOptions } from './tenant-orm-options.js';

/** Every shard of the configuration; each opens at its first statement. */
export const shardRegistryProvider: FactoryProvider<ShardRegistry> = {
  provide: ShardRegistry,
  inject: [AppConfig, AuditRecorder],
  useFactory: ({ shards }: AppConfig, recorder: AuditRecorder) =>
    new ShardRegistry({
      shards,
      ormOptions: ({ url }) => ormOptions(url, tenantOrmOptions(getEngine(url), recorder)),
    }),
};
