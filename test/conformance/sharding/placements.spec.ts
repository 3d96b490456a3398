import { describe, expect, it } from '@jest/globals';
import {
  createShardKeyChoosers,
  directoryPlacement,
  moduloPlacement,
  rangePlacement,
  ShardNotChosenError,
  type ShardPlacement,
  SLOT_COUNT,
  slotOf,
  slotPlacement,
} from '#libs/sharding';
import { eachLayout } from './layouts.js';
import { Location } from './weather.model.js';

const IDS = Array.from({ length: 40 }, (_, index) => index + 1);

describe('a placement', () => {
  eachLayout((suite) => {
    const choosersOf = (placement: ShardPlacement) =>
      createShardKeyChoosers({ placement, keys: [{ entity: Location, property: 'id' }] });
    const { count } = suite;
    const shard = (index: number) => suite.registry.ids[index % count] as string;
    const table = () => Array.from({ length: SLOT_COUNT }, (_, slot) => shard(slot));
    const ranges = () =>
      rangePlacement([
        { below: 11, shardId: shard(0) },
        { below: 21, shardId: shard(1) },
        { below: 31, shardId: shard(2) },
        { shardId: shard(3) },
      ]);
    const placements: Record<string, () => [ShardPlacement, (id: number) => number]> = {
      modulo: () => [moduloPlacement(suite.registry.ids), (id) => id % count],
      slots: () => [slotPlacement(table() as never), (id) => slotOf(String(id)) % count],
      ranges: () => [ranges(), (id) => Math.floor((id - 1) / 10) % count],
      directory: () => [
        directoryPlacement((id) => (Number(id) <= 40 ? shard(Number(id) % 3) : undefined)),
        (id) => (id % 3) % count,
      ],
    };

    it.each(Object.keys(placements))(
      'by %s stores each row where its key says, and asks that shard alone',
      async (name) => {
        const [placement, indexOf] = (placements[name] as (typeof placements)[string])();
        const choosers = choosersOf(placement);
        const em = suite.create({ mode: 'multi', ...choosers });
        for (const id of IDS) em.create(Location, { id, continent: 'asia' });
        await em.flush();
        for (const [index, own] of suite.registry.ids.entries()) {
          const stored = await suite.registry.entityManager(own).find(Location, {}, { orderBy: { id: 'asc' } });
          expect(stored.map(({ id }) => id)).toEqual(IDS.filter((id) => indexOf(id) === index));
        }
        for (const id of [1, 17, 40]) {
          const fresh = suite.create(choosers);
          const statements = await suite.statementsOf(async () => {
            expect((await fresh.findOne(Location, id))?.id).toBe(id);
          });
          expect(statements).toEqual({ [suite.registry.ids[indexOf(id)] as string]: 1 });
        }
      },
    );

    it('by ranges keeps neighbours together, and a range asks the shards it touches', async () => {
      const em = suite.create(choosersOf(ranges()));
      const shards = (...indexes: number[]) => suite.registry.ids.filter((id) => indexes.map(shard).includes(id));
      const shardsOf = (where: object) => em.explainRoute(Location, where).shards;
      expect(shardsOf({ id: { $gte: 5, $lt: 15 } })).toEqual(shards(0, 1));
      expect(shardsOf({ id: { $gt: 35 } })).toEqual(shards(3));
      expect(shardsOf({ id: { $lte: 10 } })).toEqual(shards(0));
      expect(shardsOf({ $or: [{ id: 3 }, { id: { $gte: 25, $lte: 29 } }] })).toEqual(shards(0, 2));
      expect(shardsOf({ id: { $ne: 3 } })).toEqual(suite.registry.ids);
    });

    it('by directory refuses to store what is not in it, and asks nobody for it', async () => {
      const [placement] = (placements.directory as () => [ShardPlacement, unknown])();
      const em = suite.create(choosersOf(placement));
      expect(() => em.create(Location, { id: 41, continent: 'asia' })).toThrow(ShardNotChosenError);
      expect(await suite.statementsOf(() => em.findOne(Location, 41))).toEqual({});
    });
  });
});
