import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { aStrategyWorld, eachStrategy, type PlacedTestTenant, shopModel, Tag } from '#libs/testing';

describe('a database that is dropped', () => {
  eachStrategy(
    (strategy, engine) => {
      const world = aStrategyWorld(engine, shopModel);
      const look = (tenant: PlacedTestTenant) => world.as(tenant, (em) => em.count(Tag, {}));
      afterEach(() => {
        jest.restoreAllMocks();
      });

      it('is not served any longer by whoever opened it meanwhile', async () => {
        const tenant = await world.aTenant(strategy);
        expect(await look(tenant)).toBe(0);
        const { databases } = world;
        const close = databases.close.bind(databases);
        // What was open is closed, and nothing dropped yet: that is when a sealer comes by.
        jest.spyOn(databases, 'close').mockImplementationOnce(async (orm) => {
          await close(orm);
          expect(await look(tenant)).toBe(0);
        });
        await world.strategies.get(strategy, 'shard-1').drop(tenant.placement);
        expect.assertions(3);
        await expect(look(tenant)).rejects.toThrow();
      });
    },
    ['database'],
  );
});
