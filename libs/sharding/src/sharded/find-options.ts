import type { EntityMetadata, EntityProperty, FindOptions } from '@mikro-orm/core';
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

/** Options that say which properties are loaded. */
type Selection = Pick<FindOptions<object, never, never, never>, 'fields' | 'exclude' | 'populate'>;

/**
 * What is not loaded cannot be compared. Primary keys always are; lazy properties when they are asked for.
 * @throws {FanOutUnsupportedError}
 */
export function assertSelected(meta: EntityMetadata, keys: readonly SortKey[], selection: object): void {
  const { fields, exclude, populate } = selection as { readonly [K in keyof Selection]: readonly string[] | undefined };
  const isLoaded = (name: string) => {
    if (meta.primaryKeys.includes(name as never)) return true;
    if (exclude?.some((it) => it === name || it.startsWith(`${name}.`))) return false;
    if (fields && !fields.includes('*')) return fields.includes(name);
    const isLazy = (meta.properties as Record<string, EntityProperty>)[name]?.lazy === true;
    return !isLazy || (Array.isArray(populate) && populate.includes(name));
  };
  const missing = keys.find(({ path: [name = ''] }) => !isLoaded(name));
  if (missing) {
    const problem = `"${missing.path.join('.')}" orders the rows and is not loaded`;
    throw new FanOutUnsupportedError(`${problem}: name it among "fields" or, where it is lazy, "populate".`);
  }
}
