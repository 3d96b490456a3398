import { InvalidSlotsError } from '../errors/invalid-slots.error.js';
import type { ShardId } from '../registry/shard-definition.js';
import { SLOT_COUNT, type Slot } from './slot.js';

/** The shard of each slot: 4096 shard ids. A value; the functions here make new ones. */
export type SlotTable = readonly ShardId[];

/** Share of each shard in the slots, relative to the others. 0 takes none, which drains a shard. */
export type ShardWeights = Readonly<Record<ShardId, number>>;

/** One slot that changes its shard, together with all its tenants that have no override. */
export interface SlotMove {
  readonly slot: Slot;
  readonly from: ShardId;
  readonly to: ShardId;
}

/** Slots per shard by weight, summing up to 4096: whole parts first, the rest by the largest remainder. */
function quotas(weights: ShardWeights, held: (id: ShardId) => number): Map<ShardId, number> {
  const entries = Object.entries(weights);
  const sum = entries.reduce((total, [, weight]) => total + weight, 0);
  if (!(sum > 0 && Number.isFinite(sum) && entries.every(([, weight]) => weight >= 0))) {
    throw new InvalidSlotsError('The weights must be finite, not negative, and not all 0.');
  }
  const shares = entries.map(([id, weight]) => ({ id, exact: (SLOT_COUNT * weight) / sum }));
  const result = new Map(shares.map(({ id, exact }) => [id, Math.floor(exact)]));
  const remainder = ({ exact }: { exact: number }) => exact - Math.floor(exact);
  // Among equal remainders the shard that holds more keeps more: no slot moves without need.
  shares.sort((a, b) => remainder(b) - remainder(a) || held(b.id) - held(a.id));
  const rest = SLOT_COUNT - [...result.values()].reduce((total, count) => total + count, 0);
  for (const { id } of shares.slice(0, rest)) result.set(id, (result.get(id) ?? 0) + 1);
  return result;
}

/**
 * The first table: each shard gets one run of neighbouring slots, as long as its weight says.
 * @throws {InvalidSlotsError} when no weight is positive
 */
export function createSlotTable(weights: ShardWeights): SlotTable {
  return [...quotas(weights, () => 0)].flatMap(([id, count]) => Array<ShardId>(count).fill(id));
}

/**
 * The moves that bring `table` to `weights`, as few as possible: with one shard added to four, a fifth of the slots, all
 * of them to the new one. A shard that is not in `weights` gives up all its slots. The same input gives the same moves.
 *
 * @throws {InvalidSlotsError} when no weight is positive
 */
export function planSlotMoves(
  table: SlotTable,
  weights: ShardWeights,
  isKept: (slot: Slot) => boolean = () => false,
): SlotMove[] {
  const held = Map.groupBy(table.keys(), (slot) => table[slot] as ShardId);
  const quota = quotas(weights, (id) => held.get(id)?.length ?? 0);
  // Surplus is given from the end of a shard's slots, so that long runs stay long.
  const surplus = [...held].flatMap(([from, slots]) =>
    [...slots.filter(isKept), ...slots.filter((slot) => !isKept(slot))]
      .slice(quota.get(from) ?? 0)
      .map((slot) => ({ slot, from })),
  );
  const wanted = [...quota].flatMap(([to, count]) =>
    Array<ShardId>(Math.max(0, count - (held.get(to)?.length ?? 0))).fill(to),
  );
  return surplus.map((move, index) => ({ ...move, to: wanted[index] as ShardId }));
}

/**
 * `table` after `moves`.
 * @throws {InvalidSlotsError} when a slot is no longer where the plan saw it: two people moved slots at once
 */
export function applySlotMoves(table: SlotTable, moves: readonly SlotMove[]): SlotTable {
  const result = [...table];
  for (const { slot, from, to } of moves) {
    if (result[slot] !== from) throw new InvalidSlotsError(`Slot ${slot} is on "${result[slot]}", not on "${from}".`);
    result[slot] = to;
  }
  return result;
}

/** Neighbouring slots of one shard: the form to store and to show, a handful of rows instead of 4096. Both ends included. */
export interface SlotRange {
  readonly first: Slot;
  readonly last: Slot;
  readonly shardId: ShardId;
}

/** `table` as ranges, ascending, without a gap. */
export function toSlotRanges(table: SlotTable): SlotRange[] {
  const starts = [...table.keys()].filter((slot) => slot === 0 || table[slot] !== table[slot - 1]);
  return starts.map((first, index) => ({
    first,
    last: (starts[index + 1] ?? table.length) - 1,
    shardId: table[first] as ShardId,
  }));
}

/**
 * The table that `ranges` describe, in any order.
 * @throws {InvalidSlotsError} when a slot is missing or in two ranges
 */
export function fromSlotRanges(ranges: readonly SlotRange[]): SlotTable {
  const sorted = [...ranges].sort((a, b) => a.first - b.first);
  const table = sorted.flatMap(({ first, last, shardId }, index) => {
    const expected = index === 0 ? 0 : (sorted[index - 1] as SlotRange).last + 1;
    if (first !== expected || last < first) throw gapOrOverlap(expected);
    return Array<ShardId>(last - first + 1).fill(shardId);
  });
  if (table.length !== SLOT_COUNT) throw gapOrOverlap(table.length);
  return table;
}

function gapOrOverlap(slot: Slot): InvalidSlotsError {
  return new InvalidSlotsError(`The slot ranges leave out slot ${slot} or name it twice.`);
}
