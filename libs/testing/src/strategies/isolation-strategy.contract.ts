import { expect } from '@jest/globals';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { currentContext } from '#libs/context';
import { bulkInsert, Money, runInSystemFrame } from '#libs/persistence';
import type { IsolationStrategyName } from '#libs/tenancy';
import { Book } from '../model/book.entity.js';
import { Order } from '../model/order.entity.js';
import { OrderLine } from '../model/order-line.entity.js';
import { Product } from '../model/product.entity.js';
import { Tag } from '../model/tag.entity.js';
import type { PlacedTestTenant, StrategyWorld } from './strategy-world.js';

/** One promise of the port `IsolationStrategy`. Fails by throwing. */
export interface IsolationStrategyCase {
  readonly title: string;
  run(world: StrategyWorld, strategy: IsolationStrategyName): Promise<void>;
}

const price = new Money(4999, 'EUR');

interface Tables {
  tag: { tenant_id: string; name: string };
}

interface Shop {
  readonly tenant: PlacedTestTenant;
  readonly book: string;
}

/** A shop with one of everything, named after its tenant. */
async function aShop(world: StrategyWorld, strategy: IsolationStrategyName, slug: string): Promise<Shop> {
  const tenant = await world.aTenant(strategy, slug);
  const book = await world.as(tenant, async (em) => {
    const made = em.create(Book, { sku: 'b-1', name: slug, price, isbn: '1' });
    made.tags.add(em.create(Tag, { name: slug }));
    em.create(OrderLine, { order: em.create(Order, {}), product: made, quantity: 1 });
    await em.flush();
    return made.id;
  });
  return { tenant, book };
}

const tagsOf = (em: SqlEntityManager) => em.fork().find(Tag, {}, { orderBy: { name: 'asc' } });
const namesOf = async (em: SqlEntityManager) => (await tagsOf(em)).map(({ name }) => name);

/** Ways that no MikroORM stands behind when a statement fails. */
const builtNamesOf = (em: SqlEntityManager) =>
  em.createQueryBuilder(Tag).where({ tenantId: currentContext().getTenant().id }).execute();
const kyselyNamesOf = (em: SqlEntityManager) =>
  em
    .getKysely<Tables>()
    .selectFrom('tag')
    .select('name')
    .where('tenant_id', '=', currentContext().getTenant().id)
    .execute();

/** The name that raw SQL must use for a table. */
function rawName(em: SqlEntityManager): string {
  return em.getDriver().getTableName(em.getMetadata().get(Tag), { schema: em.schema });
}

/** The server's end of the connection, where there is a server. */
async function backendOf(em: SqlEntityManager): Promise<unknown> {
  const sql = em.getPlatform().constructor.name.startsWith('Postgre')
    ? 'select pg_backend_pid() as id'
    : 'select connection_id() as id';
  const [row] = await runInSystemFrame('spec', () => em.execute<{ id: unknown }[]>(sql));
  return row?.id;
}

const isServer = (world: StrategyWorld) => world.databases.engine().name !== 'sqlite';

/**
 * What every isolation strategy promises, on every engine that can express it, for tenants side by side on one shard and
 * pools of one connection.
 *
 * @example
 * eachStrategy((strategy, engine) => {
 *   const world = aStrategyWorld(engine, shopModel);
 *   it.each(isolationStrategyCases)('$title', ({ run }) => run(world, strategy));
 * });
 */
export const isolationStrategyCases: readonly IsolationStrategyCase[] = [
  {
    title: 'keeps what one tenant writes where another does not find it',
    async run(world, strategy) {
      const shops = [await aShop(world, strategy, 'own'), await aShop(world, strategy, 'other')];
      for (const [{ tenant, book }, foreign] of [shops, shops.toReversed()] as [
        (typeof shops)[0],
        (typeof shops)[0],
      ][]) {
        await world.as(tenant, async (em) => {
          const found = await em.find(Product, {}, { populate: ['tags'] as never });
          expect(found).toMatchObject([{ id: book, name: tenant.slug }]);
          expect(found[0]?.tags.getItems()).toMatchObject([{ name: tenant.slug }]);
          expect(await em.fork().findOne(Product, { id: foreign.book })).toBeNull();
          expect(await em.fork().count(OrderLine, {})).toBe(1);
        });
      }
    },
  },
  {
    title: 'leads query builder, Kysely, raw SQL, streams and bulk writes to the same rows',
    async run(world, strategy) {
      const [{ tenant }, other] = [await aShop(world, strategy, 'own'), await aShop(world, strategy, 'other')];
      await world.as(tenant, async (em) => {
        await bulkInsert(em, Tag, [{ name: 'bulk' }]);
        const wanted = ['bulk', 'own'];
        expect(await namesOf(em)).toEqual(wanted);
        const built = await em.createQueryBuilder(Tag).where({ tenantId: tenant.id }).orderBy({ name: 1 }).execute();
        expect(built.map(({ name }) => name)).toEqual(wanted);
        const kysely = em.getKysely<Tables>().selectFrom('tag').select('name').where('tenant_id', '=', tenant.id);
        expect((await kysely.orderBy('name').execute()).map(({ name }) => name)).toEqual(wanted);
        const raw = await em.execute<{ name: string }[]>(
          `select name from ${rawName(em)} where tenant_id = ? order by name`,
          [tenant.id],
        );
        expect(raw.map(({ name }) => name)).toEqual(wanted);
        const streamed: string[] = [];
        for await (const tag of em.stream(Tag, { where: {} })) streamed.push(tag.name);
        expect(streamed.sort()).toEqual(wanted);
      });
      expect(await world.as(other.tenant, namesOf)).toEqual(['other']);
    },
  },
  {
    title: 'finds items of a collection by a condition, and manages them',
    async run(world, strategy) {
      const shops = [await aShop(world, strategy, 'own'), await aShop(world, strategy, 'other')];
      for (const { tenant, book } of shops) {
        const options = { where: { name: tenant.slug } };
        await world.as(tenant, async (em) => {
          const { tags } = await em.findOneOrFail(Book, { id: book } as never);
          expect(await tags.matching({ where: { name: 'nobody' } })).toEqual([]);
          const [tag] = await tags.matching(options);
          expect(tag).toMatchObject({ name: tenant.slug });
          Object.assign(tag as Tag, { name: `${tenant.slug} changed` });
          await em.flush();
          expect(await namesOf(em)).toEqual([`${tenant.slug} changed`]);
        });
        // What the caller gave may be used again, by another tenant too.
        expect(options).not.toHaveProperty('schema');
      }
    },
  },
  {
    title: 'serves tenants in turn on one connection, after errors and rollbacks alike',
    async run(world, strategy) {
      const shops = [await aShop(world, strategy, 'own'), await aShop(world, strategy, 'other')];
      const backends = new Set<unknown>();
      for (let turn = 0; turn < 12; turn++) {
        const { tenant } = shops[turn % 2] as Shop;
        await world.as(tenant, async (em) => {
          const failing = em.transactional(async (inner) => {
            inner.create(Tag, { name: 'never' });
            await inner.flush();
            if (turn % 3 === 0) await inner.execute('select nothing_of_the_kind from tag');
            throw new Error('rolled back');
          });
          await expect(failing).rejects.toThrow();
          expect(await namesOf(em)).toEqual([tenant.slug]);
          const within = await em.fork().transactional((inner) => inner.find(Tag, {}));
          expect(within).toMatchObject([{ name: tenant.slug }]);
          if (isServer(world)) backends.add(await backendOf(em.fork()));
        });
      }
      // A database has a pool of its own for each tenant.
      if (isServer(world)) expect(backends.size).toBe(strategy === 'database' ? 2 : 1);
    },
  },
  {
    title: 'serves tenants at the same time, each its own rows',
    async run(world, strategy) {
      const shops: Shop[] = [];
      for (const slug of ['one', 'two', 'three']) shops.push(await aShop(world, strategy, slug));
      const reads = Array.from({ length: 30 }, (_, n) => {
        const { tenant } = shops[n % 3] as Shop;
        return world.as(tenant, async (em) => [tenant.slug, await namesOf(em)]);
      });
      for (const [slug, names] of await Promise.all(reads)) expect(names).toEqual([slug]);
    },
  },
  {
    title: 'shows nothing of another tenant through an EntityManager of that tenant’s place',
    async run(world, strategy) {
      const [own, other] = [await aShop(world, strategy, 'own'), await aShop(world, strategy, 'other')];
      const stolen: PlacedTestTenant = { ...own.tenant, placement: other.tenant.placement };
      for (const tenant of [own.tenant, stolen]) {
        const { entityManager, revert } = world.strategies.apply(other.tenant.placement);
        const read = world.as(tenant, () => namesOf(entityManager)).catch(() => ['refused']);
        expect([['own'], [], ['refused']]).toContainEqual(await read);
        revert();
      }
    },
  },
  {
    title: 'lets no call and no statement name another place',
    async run(world, strategy) {
      const [own, other] = [await aShop(world, strategy, 'own'), await aShop(world, strategy, 'other')];
      const { schemaName, databaseName } = other.tenant.placement;
      const place = schemaName ?? databaseName ?? 'somewhere';
      await world.as(own.tenant, async (em) => {
        const calls = [
          () => em.find(Tag, {}, { schema: place }),
          () => em.count(Tag, {}, { schema: place }),
          () => em.nativeDelete(Tag, {}, { schema: place } as never),
          async () => em.fork({ schema: place }).find(Tag, {}),
          () => em.execute(`select name from ${place}.tag where tenant_id = ?`, [own.tenant.id]),
          () => em.getKysely<Tables>().withSchema(place).selectFrom('tag').select('name').execute(),
          () => em.execute(`set search_path to ${place}`),
        ];
        for (const call of calls)
          await expect(call()).rejects.toMatchObject({ code: expect.stringMatching(/refused/) });
      });
      expect(await world.as(other.tenant, namesOf)).toEqual(['other']);
    },
  },
  {
    title: 'makes a place that is there already no emptier',
    async run(world, strategy) {
      const { tenant } = await aShop(world, strategy, 'own');
      await world.strategies.get(strategy, 'shard-1').provision(tenant.placement);
      expect(await world.as(tenant, namesOf)).toEqual(['own']);
    },
  },
  {
    title: 'drops all rows of a tenant and of nobody else, and does not mind when they are gone',
    async run(world, strategy) {
      const [own, other] = [await aShop(world, strategy, 'own'), await aShop(world, strategy, 'other')];
      const { drop, provision } = boundTo(world, strategy);
      await drop(own.tenant.placement);
      await drop(own.tenant.placement);
      expect(await world.as(other.tenant, namesOf)).toEqual(['other']);
      await provision(own.tenant.placement);
      await world.as(own.tenant, async (em) => {
        for (const entity of [Tag, Product, Order, OrderLine]) expect(await em.count(entity as typeof Tag, {})).toBe(0);
      });
    },
  },
  {
    title: 'says that the place is missing, to its tenant alone',
    async run(world, strategy) {
      if (strategy === 'row') return;
      const [own, other] = [await aShop(world, strategy, 'own'), await aShop(world, strategy, 'other')];
      const { drop, migrate } = boundTo(world, strategy);
      await drop(own.tenant.placement);
      const code = expect.stringMatching(/^(placement|shard)_unavailable$/);
      const matcher = { code, retryAfterSeconds: expect.any(Number) };
      for (let n = 0; n < 5; n++) {
        for (const read of [namesOf, builtNamesOf, kyselyNamesOf]) {
          await expect(world.as(own.tenant, read)).rejects.toMatchObject(matcher);
        }
        expect(await world.as(other.tenant, namesOf)).toEqual(['other']);
      }
      // Migrations must not make an empty one in its place.
      await expect(migrate(own.tenant.placement)).rejects.toMatchObject(matcher);
    },
  },
];

function boundTo({ strategies }: StrategyWorld, name: IsolationStrategyName) {
  const strategy = strategies.get(name, 'shard-1');
  return {
    drop: strategy.drop.bind(strategy),
    provision: strategy.provision.bind(strategy),
    migrate: strategy.migrate.bind(strategy),
  };
}
