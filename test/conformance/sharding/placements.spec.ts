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
    const table = () => {
      const [first, second, third, fourth] = suite.registry.ids as [string, string, string, string];
      return Array.from({ length: SLOT_COUNT }, (_, slot) => [first, second, third, fourth][slot % 4] as string);
    };
    const ranges = () => {
      const [first, second, third, fourth] = suite.registry.ids as [string, string, string, string];
      return rangePlacement([
        { below: 11, shardId: first },
        { below: 21, shardId: second },
        { below: 31, shardId: third },
        { shardId: fourth },
      ]);
    };
    const placements: Record<string, () => [ShardPlacement, (id: number) => number]> = {
      modulo: () => [moduloPlacement(suite.registry.ids), (id) => id % 4],
      slots: () => [slotPlacement(table() as never), (id) => slotOf(String(id)) % 4],
      ranges: () => [ranges(), (id) => Math.floor((id - 1) / 10)],
      directory: () => [
        directoryPlacement((id) => (Number(id) <= 40 ? suite.registry.ids[Number(id) % 3] : undefined)),
        (id) => id % 3,
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
        for (const [index, shard] of suite.registry.ids.entries()) {
          const stored = await suite.registry.entityManager(shard).find(Location, {}, { orderBy: { id: 'asc' } });
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
      const shardsOf = (where: object) => em.explainRoute(Location, where).shards;
      expect(shardsOf({ id: { $gte: 5, $lt: 15 } })).toEqual(['shard-1', 'shard-2']);
      expect(shardsOf({ id: { $gt: 35 } })).toEqual(['shard-4']);
      expect(shardsOf({ id: { $lte: 10 } })).toEqual(['shard-1']);
      expect(shardsOf({ $or: [{ id: 3 }, { id: { $gte: 25, $lte: 29 } }] })).toEqual(['shard-1', 'shard-3']);
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
