import type { EntityMetadata } from '@mikro-orm/core';
import { FanOutUnsupportedError } from '../errors/fan-out-unsupported.error.js';
import type { SortKey } from '../merge/sort-key.js';
import type { ShardCallOptions } from './sharded-options.js';

/** Options that say where and how long, and nothing about what. */
const ROUTING_OPTIONS = new Set(['shard', 'deadlineMs']);

/** Whether a call wants nothing but the row. */
export function isPlainLookup(options: object): boolean {
  for (const name in options) if (!ROUTING_OPTIONS.has(name)) return false;
  return true;
}

/** What MikroORM is to know of a call's options. */
export function ormOptionsOf<O extends ShardCallOptions>({ shard: _shard, deadlineMs: _deadlineMs, ...own }: O) {
  return own;
}

/** Options whose meaning spans rows of several shards. */
export function assertMergeable(options: object): void {
  for (const name of ['groupBy', 'having', 'unionWhere', 'collation']) {
    if ((options as Record<string, unknown>)[name] !== undefined) {
      throw new FanOutUnsupportedError(`The find option "${name}" does not hold over several shards; see aggregate().`);
    }
  }
}

/** What is not loaded cannot be compared. Primary keys always are. */
export function assertSelected(
  meta: EntityMetadata,
  keys: readonly SortKey[],
  fields: readonly string[] | undefined,
): void {
  if (!fields || fields.includes('*')) return;
  const missing = keys.find(
    ({ path: [name] }) => !fields.includes(name as string) && !meta.primaryKeys.includes(name as never),
  );
  if (missing)
    throw new FanOutUnsupportedError(`"${missing.path.join('.')}" orders the rows and is not among "fields".`);
}
