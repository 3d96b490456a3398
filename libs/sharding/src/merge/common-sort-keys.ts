import type { EntityMetadata } from '@mikro-orm/core';
import { FanOutUnsupportedError } from '../errors/fan-out-unsupported.error.js';
import type { ValueKind } from './compare-values.js';
import { assertExact } from './keyset.js';
import { type SortKey, sortKeysOf } from './sort-key.js';

/**
 * `sortKeysOf` for several shards, whose mappings may be those of different engines.
 * @throws {FanOutUnsupportedError} also when their columns compare differently, or hold more than is compared here
 */
export function commonSortKeysOf(metas: Iterable<EntityMetadata>, orderBy: unknown, nullsAreLow: boolean): SortKey[] {
  const all = [...new Set(metas)].map((meta) => {
    const keys = sortKeysOf(meta, orderBy, nullsAreLow);
    assertExact(meta, keys);
    return keys;
  });
  const [keys = [], ...others] = all;
  const odd = keys.find(({ kind }, index) => others.some((other) => isText(other[index]?.kind) !== isText(kind)));
  if (odd) throw new FanOutUnsupportedError(`"${odd.path.join('.')}" is text on some engines, and a number on others.`);
  return keys;
}

function isText(kind: ValueKind | undefined): boolean {
  return kind === 'text' || kind === 'ascii';
}
