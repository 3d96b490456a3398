import { describe, expect, it } from '@jest/globals';
import { InvalidSlotsError } from '../errors/invalid-slots.error.js';
import { SLOT_COUNT, slotOf } from './slot.js';
import {
  applySlotMoves,
  createSlotTable,
  fromSlotRanges,
  planSlotMoves,
  type ShardWeights,
  type SlotTable,
  toSlotRanges,
} from './slot-table.js';

function sizes(table: SlotTable): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(table, (id) => id)].map(([id, slots]) => [id, slots.length]));
}

describe('slotOf', () => {
  it.each([
    ['', 0],
    ['acme', 2622],
    ['globex', 2810],
    ['0190a000-0000-7000-8000-00000000000a', 989],
    ['0190a000-0000-7000-8000-00000000000b', 615],
    ['123456789', 0xcbf43926 & 4095],
    ['手机', 2419],
  ])('puts %j into slot %d for ever', (key, slot) => {
    expect(slotOf(key)).toBe(slot);
  });

  it('spreads tenant ids evenly: no slot of 4096 has more than three times its share', () => {
    const counts = new Uint32Array(SLOT_COUNT);
    for (let i = 0; i < SLOT_COUNT * 50; i++) {
      const slot = slotOf(`0190a000-0000-7000-8000-${i.toString(16).padStart(12, '0')}`);
      counts[slot] = (counts[slot] ?? 0) + 1;
    }
    expect(Math.max(...counts)).toBeLessThan(150);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });
});

describe('SlotTable', () => {
  it('assigns slots by weight', () => {
    expect(sizes(createSlotTable({ a: 1, b: 1, c: 1 }))).toEqual({ a: 1366, b: 1365, c: 1365 });
    expect(sizes(createSlotTable({ a: 3, b: 1, spare: 0 }))).toEqual({ a: 3072, b: 1024 });
  });

  it('refuses weights that place no slot', () => {
    for (const weights of [{}, { a: 0 }, { a: -1, b: 2 }, { a: Number.NaN }] as ShardWeights[]) {
      expect(() => createSlotTable(weights)).toThrow(InvalidSlotsError);
    }
  });

  it('moves a fifth of the slots to a fifth shard, and nothing else', () => {
    const table = createSlotTable({ a: 1, b: 1, c: 1, d: 1 });
    const moves = planSlotMoves(table, { a: 1, b: 1, c: 1, d: 1, e: 1 });
    expect(moves).toHaveLength(819);
    expect(new Set(moves.map(({ to }) => to))).toEqual(new Set(['e']));
    expect(sizes(applySlotMoves(table, moves))).toEqual({ a: 820, b: 819, c: 819, d: 819, e: 819 });
  });

  it('moves nothing when nothing has to move', () => {
    const weights = { a: 1, b: 1, c: 1 };
    const table = createSlotTable(weights);
    expect(planSlotMoves(table, weights)).toEqual([]);
    expect(planSlotMoves(table, { c: 1, b: 1, a: 1 })).toEqual([]);
  });

  it('drains a shard of weight 0, or one that is gone, onto the others', () => {
    const table = createSlotTable({ a: 1, b: 1, c: 2 });
    for (const weights of [
      { a: 1, b: 1, c: 0 },
      { a: 1, b: 1 },
    ] as ShardWeights[]) {
      const drained = applySlotMoves(table, planSlotMoves(table, weights));
      expect(sizes(drained)).toEqual({ a: 2048, b: 2048 });
      expect(planSlotMoves(table, weights)).toHaveLength(2048);
    }
  });

  it('refuses to apply a plan made for another table', () => {
    const moves = [{ slot: 5, from: 'a', to: 'b' }];
    const table = applySlotMoves(createSlotTable({ a: 1, b: 1 }), moves);
    expect(() => applySlotMoves(table, moves)).toThrow(/Slot 5 is on "b", not on "a"/);
  });

  it('is stored as ranges and read back the same', () => {
    const table = applySlotMoves(createSlotTable({ a: 1, b: 1 }), [{ slot: 5, from: 'a', to: 'b' }]);
    const ranges = toSlotRanges(table);
    expect(ranges).toEqual([
      { first: 0, last: 4, shardId: 'a' },
      { first: 5, last: 5, shardId: 'b' },
      { first: 6, last: 2047, shardId: 'a' },
      { first: 2048, last: 4095, shardId: 'b' },
    ]);
    expect(fromSlotRanges(ranges.toReversed())).toEqual(table);
  });

  it('refuses ranges with a gap, an overlap or a missing end', () => {
    const a = { first: 0, last: 2047, shardId: 'a' };
    for (const first of [2047, 2049]) {
      expect(() => fromSlotRanges([a, { first, last: 4095, shardId: 'b' }])).toThrow(InvalidSlotsError);
    }
    expect(() => fromSlotRanges([a])).toThrow(/slot 2048/);
  });
});
