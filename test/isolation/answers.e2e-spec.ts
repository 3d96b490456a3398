import { beforeAll, describe, expect, it } from '@jest/globals';
import { LockMode, wrap } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { runInSystemFrame } from '#libs/persistence';
import { aStrategyWorld, aTenant, Book, Category, eachStrategy, Order, Product, shopModel, Tag } from '#libs/testing';
import { aShop, as, type Shop, tableOf } from './isolation-world.js';

type Work = (em: SqlEntityManager, id: string, tenantId: string) => Promise<unknown>;

const anId = () => aTenant().id;

/** What can be asked with an id that somebody has guessed. */
const works: Readonly<Record<string, Work>> = {
  find: (em, id) => em.find(Tag, { id }),
  findOne: (em, id) => em.findOne(Book, { id }),
  'findOne with relations': (em, id) => em.findOne(Product, { id }, { populate: ['tags', 'category'] }),
  findOneOrFail: (em, id) => em.findOneOrFail(Book, { id }),
  count: (em, id) => em.count(Product, { id }),
  'a lock': (em, id) => em.transactional((tx) => tx.findOne(Tag, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE })),
  'a condition on a relation': (em, id) => em.find(Product, { category: { id } }),
  'a reference that is loaded': (em, id) => wrap(em.getReference(Tag, id as never)).init(),
  'a reference that is changed': async (em, id) => {
    Object.assign(em.getReference(Tag, id as never), { name: 'x' });
    await em.flush();
  },
  'a reference that is removed': async (em, id) => {
    em.remove(em.getReference(Order, id as never));
    await em.flush();
  },
  nativeUpdate: (em, id) => em.nativeUpdate(Tag, { id }, { name: 'x' }),
  nativeDelete: (em, id) => em.nativeDelete(Tag, { id }),
  'a foreign key': (em, id) => em.insert(Category, { id: anId(), name: 'x', parent: id } as never).then(() => 'done'),
  'raw SQL': (em, id, tenantId) =>
    em.execute(`select * from ${tableOf(em, 'tag')} where tenant_id = ? and id = ?`, [tenantId, id]),
};

const exists = async (em: SqlEntityManager, id: string) =>
  (await runInSystemFrame('spec', () => em.execute(`select id from ${tableOf(em, 'tag')} where id = ?`, [id]))).length >
  0;

/** Services as they should not be: the first tells by its answer, the second only by what it takes to give it. */
const tellTales: Readonly<Record<string, Work>> = {
  'an answer that differs': async (em, id) => ((await exists(em, id)) ? 'forbidden' : 'not found'),
  'an answer that takes longer': async (em, id) => {
    if (await exists(em, id)) await em.count(Tag, {});
    return 'not found';
  },
};

/**
 * An id of another tenant is answered as one that never existed: to the byte, and by the same statements with the same
 * number of rows, so that it takes no other time either. Times themselves are not compared: they would be of the machine.
 */
describe('what is answered to an id', () => {
  eachStrategy((strategy, engine) => {
    const heard: string[] = [];
    const overrides = { debug: ['query' as const], colors: false, logger: (line: string) => void heard.push(line) };
    const world = aStrategyWorld(engine, shopModel, { overrides });
    let own: Shop;
    let target: Shop;

    beforeAll(async () => {
      const [mine, theirs] = [await world.aTenant(strategy, 'own'), await world.aTenant(strategy, 'target')];
      const witness = { fork: (tenant: typeof mine) => world.strategies.apply(tenant.placement).entityManager };
      own = await aShop(witness as never, 'own', mine);
      target = await aShop(witness as never, 'target', theirs);
    }, 60_000);

    /** Everything that somebody sees, and that a clock could, without the ids that were asked for. */
    async function faceOf(work: Work, id: string): Promise<string> {
      heard.length = 0;
      const answer = await as(own.tenant, async () => {
        const { entityManager, revert } = world.strategies.apply(
          (own.tenant as never as { placement: never }).placement,
        );
        try {
          return await work(entityManager, id, own.tenant.id).then(
            (found) => JSON.stringify(found ?? null),
            (error: Error) => `${error.name}: ${error.message}`,
          );
        } finally {
          revert();
        }
      });
      const sent = heard.map((line) => line.replace(/took \d+ ms/, 'took its time'));
      return [answer, ...sent].join('\n').replaceAll(id, 'ID');
    }

    /** Ids of each kind that the works ask for; each is asked for twice, as the second time may find things prepared. */
    async function differences(of: Readonly<Record<string, Work>>): Promise<string[]> {
      const seen: string[] = [];
      for (const [title, work] of Object.entries(of)) {
        for (const foreign of [target.tag, target.book, target.category, target.order]) {
          await faceOf(work, anId());
          const unknown = await faceOf(work, anId());
          if ((await faceOf(work, foreign)) !== unknown) seen.push(title);
        }
      }
      return [...new Set(seen)];
    }

    it('is the same for one of another tenant and one that never existed, whatever is asked', async () => {
      expect(await differences(works)).toEqual([]);
    });

    it('would be seen to differ, in its words or in its work', async () => {
      // There the rows of the other tenant are within reach.
      Object.assign(own.tenant, { placement: placementAt(own, target) });
      expect(await differences(tellTales)).toEqual(Object.keys(tellTales));
      expect(await differences(works)).toEqual([]);
    });
  });
});

/** A placement that is wrong: at the place of another. */
function placementAt({ tenant }: Shop, { tenant: other }: Shop): object {
  const { placement } = other as never as { placement: object };
  return { ...placement, tenantId: tenant.id };
}
