import type { Options } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import { CompiledQuery, type DatabaseConnection } from 'kysely';
import { runInSystemFrame } from '../system-frame.js';
import type { PoolOptions } from './engine.js';
import { DEFAULT_POOL_MAX } from './pool-gate.js';

/** What a pool is told on every engine, in MikroORM's words and those of `PoolGate`. */
export function poolSettings({ max, idleTimeoutMs, acquireTimeoutMs, onReserveSql }: PoolOptions) {
  return {
    min: 0,
    max: max ?? DEFAULT_POOL_MAX,
    idleTimeoutMillis: idleTimeoutMs ?? 30_000,
    ...(acquireTimeoutMs !== undefined && { acquireTimeoutMillis: acquireTimeoutMs }),
    ...(onReserveSql && { onReserveSql }),
  };
}

/** Sends statements on a connection that has just been made. */
export async function sendOnCreate(connection: unknown, statements: readonly string[]): Promise<void> {
  for (const sql of statements) {
    await runInSystemFrame('make a connection', () =>
      (connection as DatabaseConnection).executeQuery(CompiledQuery.raw(sql)),
    );
  }
}

/** MikroORM options shared by the engines that are servers. */
export function serverOptions(url: string, pool: PoolOptions = {}): Partial<Options<AbstractSqlDriver>> {
  const { onCreateSql } = pool;
  return {
    clientUrl: url,
    pool: poolSettings(pool),
    ...(onCreateSql && { onCreateConnection: (connection: unknown) => sendOnCreate(connection, onCreateSql) }),
  };
}

/**
 * How many connections mysql2 may keep while they are idle. MikroORM says none, whereupon every idle connection is closed
 * within a second, whatever its time-out. The last one of a pool is not kept, or mysql2 would never look for those whose
 * time is over; in a pool of one it is.
 */
export function keptIdle({ max = DEFAULT_POOL_MAX }: PoolOptions = {}): number {
  return Math.max(1, max - 1);
}

/**
 * How MySQL and MariaDB keep text. By their default, letters of either case are one, and so are all characters beyond 16
 * bits: two emoji would be the same key. Compared by its bytes, text is equal where the other engines say so.
 */
export const TEXT_OF_MYSQL = { charset: 'utf8mb4', collate: 'utf8mb4_bin' } as const;
