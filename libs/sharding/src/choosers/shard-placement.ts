import { ShardNotChosenError } from '../errors/shard-not-chosen.error.js';
import type { ShardId } from '../registry/shard-definition.js';
import { slotOf } from '../slots/slot.js';
import type { SlotTable } from '../slots/slot-table.js';

/** A value of a shard key. */
export type ShardKeyValue = string | number | bigint | Date;

/** Both ends may be open; `null` stands for no bound. Bounds are inclusive: routing may ask one shard too many, never too few. */
export interface ShardKeyRange {
  readonly from: ShardKeyValue | null;
  readonly to: ShardKeyValue | null;
}

/** Maps values of a shard key to shards. Pure: the same value gives the same shard for as long as rows are stored by it. */
export interface ShardPlacement {
  /** @throws {ShardNotChosenError} when the value has no place */
  shardFor(value: ShardKeyValue): ShardId;
  /** Shards that may hold values of a range; absent where neighbouring values do not live together. */
  shardsFor?(range: ShardKeyRange): readonly ShardId[];
}

/**
 * `value % number of shards`: integer keys in turn over the shards. For a fixed number of shards only: a fifth shard
 * would move four fifths of all rows. Use `slotPlacement` where shards may come and go.
 */
export function moduloPlacement(shards: readonly ShardId[]): ShardPlacement {
  return {
    shardFor(value) {
      // Beyond 2^53 a key arrives as a string or a bigint: as a number it would be rounded onto a neighbour's shard.
      const rest = Number.isSafeInteger(value) ? Number(value) % shards.length : bigRest(value, shards.length);
      return shards[rest < 0 ? rest + shards.length : rest] ?? noPlace(value);
    },
  };
}

function bigRest(value: ShardKeyValue, divisor: number): number {
  if (typeof value === 'bigint') return Number(value % BigInt(divisor));
  return typeof value === 'string' && /^-?\d+$/.test(value) ? Number(BigInt(value) % BigInt(divisor)) : noPlace(value);
}

/** 4096 slots by hash, and a table of their shards: even, and a new shard takes over no more than its share. */
export function slotPlacement(table: SlotTable): ShardPlacement {
  return { shardFor: (value) => table[slotOf(keyText(value))] ?? noPlace(value) };
}

/** One bound of `rangePlacement`: values below it, and not below the bound before, live on `shardId`. */
export interface RangeBound {
  /** Excluded. Left out in the last bound, which takes the rest. */
  readonly below?: ShardKeyValue;
  readonly shardId: ShardId;
}

/** Neighbouring values on one shard, so that queries over a range of the key ask few shards. Bounds in ascending order. */
export function rangePlacement(bounds: readonly RangeBound[]): ShardPlacement {
  const boundOf = (value: ShardKeyValue) => bounds.findIndex(({ below }) => below === undefined || value < below);
  return {
    shardFor: (value) => bounds[boundOf(value)]?.shardId ?? noPlace(value),
    shardsFor({ from, to }) {
      const first = from === null ? 0 : boundOf(from);
      const last = to === null ? bounds.length - 1 : boundOf(to);
      if (first < 0) return [];
      return bounds.slice(first, last < 0 ? undefined : last + 1).map(({ shardId }) => shardId);
    },
  };
}

/**
 * Each value has a shard of its own choosing.
 * @param find  `undefined` for a value that is not in the directory
 */
export function directoryPlacement(find: (value: ShardKeyValue) => ShardId | undefined): ShardPlacement {
  return { shardFor: (value) => find(value) ?? noPlace(value) };
}

/** One text per value, whatever type it arrived in: 7, 7n and '7' are the same row in a database. */
function keyText(value: ShardKeyValue): string {
  return value instanceof Date ? value.toISOString() : String(value);
}

function noPlace(value: ShardKeyValue): never {
  throw new ShardNotChosenError(
    `The shard key ${typeof value === 'string' ? 'given' : keyText(value)} belongs to no shard.`,
  );
}
