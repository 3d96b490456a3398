import type { Options } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import type { PoolOptions } from './engine.js';

/** MikroORM options shared by the engines that are servers. */
export function serverOptions(url: string, pool: PoolOptions = {}): Partial<Options<AbstractSqlDriver>> {
  return {
    clientUrl: url,
    pool: { min: 0, max: pool.max ?? 10, idleTimeoutMillis: pool.idleTimeoutMs ?? 30_000 },
  };
}
