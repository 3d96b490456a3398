import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CentralEntityManager, ormOptions } from '#libs/persistence';
import { aDatabase, eachEngine } from '#libs/testing';
import { InvalidSlotsError } from '../errors/invalid-slots.error.js';
import { SlotOccupiedError } from '../errors/slot-occupied.error.js';
import { UnknownShardError } from '../errors/unknown-shard.error.js';
import { ShardRegistry } from '../registry/shard-registry.js';
import { ShardRecord } from './shard-record.entity.js';
import { SLOT_COUNT, slotOf } from './slot.js';
import { SlotDirectory } from './slot-directory.js';
import { SlotMapRecord } from './slot-map-record.entity.js';
import { type Occupant, SlotOccupants } from './slot-occupants.js';
import { SlotRangeRecord } from './slot-range-record.entity.js';
import type { SlotTable } from './slot-table.js';

const ids = ['a', 'b', 'c'];

describe('SlotDirectory', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, [ShardRecord, SlotMapRecord, SlotRangeRecord]);
    const registryOf = (...configured: string[]) =>
      new ShardRegistry({
        shards: configured.map((id) => ({ id, url: 'sqlite::memory:', weight: id === 'spare' ? 0 : 1 })),
        ormOptions: ({ url }) => ormOptions(url, { entities: [ShardRecord] }),
      });
    const registry = registryOf(...ids, 'd');
    const homes = new Map<string, Occupant[]>();

    class Homes extends SlotOccupants {
      async listOn(shardId: string): Promise<Occupant[]> {
        return homes.get(shardId) ?? [];
      }
    }
    class Central extends CentralEntityManager {
      get() {
        return database.fork();
      }
    }
    const open = (shards = registry) => new SlotDirectory(new Central(), shards, new Homes());

    beforeEach(async () => {
      homes.clear();
      for (const entity of [ShardRecord, SlotMapRecord, SlotRangeRecord]) {
        await database.fork().nativeDelete(entity as typeof ShardRecord, {});
      }
      // The first process knew three shards.
      await open(registryOf(...ids)).read();
    });
    afterAll(() => registry.close());

    const sizesOf = (table: SlotTable) =>
      Object.fromEntries([...Map.groupBy(table, (id) => id)].map(([id, slots]) => [id, slots.length]));

    it('begins with the configured shards, and gives each tenant the shard of its slot', async () => {
      const { epoch, table } = await open().read();
      expect(epoch).toBe(1);
      expect(sizesOf(table)).toEqual({ a: 1366, b: 1365, c: 1365 });
      for (const key of ['acme', 'globex', '手机']) expect(await open().place(key)).toBe(table[slotOf(key)]);
    });

    it('begins once, however many processes start', async () => {
      await database.fork().nativeDelete(SlotMapRecord, {});
      await database.fork().nativeDelete(SlotRangeRecord, {});
      await database.fork().nativeDelete(ShardRecord, {});
      const stored = await Promise.all([open().read(), open().read()]);
      expect(stored.map(({ epoch }) => epoch)).toEqual([1, 1]);
    });

    it('gives a configured shard no tenant before it is added, and then its share', async () => {
      expect((await open().read()).table).not.toContain('d');
      const { moves, occupied } = await open().add('d', 1);
      expect([moves.length, occupied]).toEqual([1024, []]);
      const { epoch, table } = await open().read();
      expect([epoch, sizesOf(table)]).toEqual([2, { a: 1024, b: 1024, c: 1024, d: 1024 }]);
    });

    it('moves empty slots rather than occupied ones, and names those it would need', async () => {
      const { table } = await open().read();
      // Somebody in every slot of "a" but the first hundred: "d" can have no more of them than those.
      const tenants = Array.from({ length: 20_000 }, (_, index) => `tenant-${index}`);
      const taken = tenants.filter((key) => table[slotOf(key)] === 'a' && slotOf(key) >= 100);
      homes.set(
        'a',
        taken.map((key) => ({ key, name: key.toUpperCase() })),
      );
      const occupiedSlots = new Set(taken.map(slotOf));
      const plan = await open().add('d', 1, { dryRun: true });
      expect(plan.moves.filter(({ from }) => from === 'a').every(({ slot }) => !occupiedSlots.has(slot))).toBe(true);
      expect(plan.moves.length + plan.occupied.length).toBe(1024);
      expect(plan.occupied[0]?.tenants[0]).toMatch(/^TENANT-/);
      expect((await open().read()).epoch).toBe(1);
    });

    it('drains a shard: no new tenants at once, its empty slots to the others, the occupied ones stay', async () => {
      const { table } = await open().read();
      const key = ['acme', 'globex', 'initech', 'umbrella', 'hooli'].find((it) => table[slotOf(it)] === 'b') as string;
      homes.set('b', [{ key, name: 'the one' }]);
      const { occupied } = await open().drain('b');
      expect(occupied).toEqual([{ slot: slotOf(key), tenants: ['the one'] }]);
      const after = await open().read();
      expect(sizesOf(after.table)).toMatchObject({ b: 1 });
      expect(['a', 'c']).toContain(await open().place(key));
      // All have ended before the next case begins: a late one would change the table under it.
      const drained = await Promise.allSettled(ids.map((id) => open().drain(id)));
      const reasons = drained.flatMap((it) => (it.status === 'rejected' ? [it.reason] : []));
      expect(reasons).toContainEqual(expect.any(InvalidSlotsError));
    });

    it('moves empty slots, and refuses one with tenants by their names, before anything is moved', async () => {
      const { table } = await open().read();
      homes.set(table[slotOf('acme')] as string, [{ key: 'acme', name: 'Acme' }]);
      homes.set('c', [...(homes.get('c') ?? []), { key: 'globex', name: 'Globex, elsewhere by choice' }]);
      const free = [...table.keys()].filter((slot) => table[slot] === 'a' && slot !== slotOf('acme')).slice(0, 3);
      const failure = await open()
        .move([...free, slotOf('acme')], 'c')
        .catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(SlotOccupiedError);
      expect(failure).toMatchObject({ slots: [{ slot: slotOf('acme'), tenants: ['Acme'] }] });
      expect((await open().read()).table).toEqual(table);
      expect(await open().move(free, 'c')).toHaveLength(3);
      expect((await open().read()).table[free[0] as number]).toBe('c');
      await expect(open().move([1], 'nowhere')).rejects.toThrow(UnknownShardError);
      await expect(open().move([1], 'd')).rejects.toThrow(/add it first/);
    });

    it('brings slots to their weights again when room has come', async () => {
      const { table } = await open().read();
      const key = ['acme', 'globex', 'initech', 'umbrella', 'hooli'].find((it) => table[slotOf(it)] === 'b') as string;
      homes.set('b', [{ key, name: 'the one' }]);
      await open().drain('b');
      expect((await open().rebalance({ dryRun: true })).occupied).toHaveLength(1);
      homes.clear();
      expect((await open().rebalance({ dryRun: true })).moves).toHaveLength(1);
      expect((await open().rebalance()).moves).toHaveLength(1);
      expect((await open().read()).table).not.toContain('b');
      expect(await open().rebalance()).toEqual({ moves: [], occupied: [] });
    });

    it('sends two who change the table at once one after the other, or one away', async () => {
      const moves = await Promise.allSettled([open().move([0], 'b'), open().move([1], 'c')]);
      const failed = moves.filter((move) => move.status === 'rejected');
      for (const { reason } of failed as PromiseRejectedResult[]) expect(reason).toBeInstanceOf(InvalidSlotsError);
      const { epoch, table } = await open().read();
      expect(epoch).toBe(1 + moves.length - failed.length);
      expect([table[0], table[1]].filter((id) => id !== 'a')).toHaveLength(moves.length - failed.length);
      expect(table).toHaveLength(SLOT_COUNT);
    });

    it('places where the table says within seconds of a change by another process', async () => {
      const directory = open();
      const key = 'acme';
      const before = await directory.place(key);
      const to = ids.find((id) => id !== before) as string;
      await open().move([slotOf(key)], to);
      for (let tries = 0; (await directory.place(key)) !== to && tries < 200; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      expect(await directory.place(key)).toBe(to);
    });

    it('places a tenant on a shard that accepts it, the same in every process', async () => {
      const keys = Array.from({ length: 50 }, (_, index) => `tenant-${index}`);
      const accepts = (id: string) => id !== 'a';
      const directory = open();
      const places = await Promise.all(keys.map((key) => directory.place(key, accepts)));
      expect(new Set(places)).toEqual(new Set(['b', 'c']));
      const other = open();
      expect(await Promise.all(keys.map((key) => other.place(key, accepts)))).toEqual(places);
      await expect(directory.place('acme', () => false)).rejects.toThrow(InvalidSlotsError);
    });
  });
});
