import { notStrictEqual } from 'node:assert';
import { type EntityClass, ref } from '@mikro-orm/core';
import { CompiledQuery } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { tenantEntities } from '#apps/api';
import { runAs } from '#libs/context';
import { type EngineName, engines, Money } from '#libs/persistence';
import { GuardedEntityManager, guardedDriver } from '#libs/tenancy';
import { Book } from '../../apps/api/src/shop/catalogue/book.entity.js';
import { Category } from '../../apps/api/src/shop/catalogue/category.entity.js';
import { Product } from '../../apps/api/src/shop/catalogue/product.entity.js';
import type { Benchmark, Comparison, Contender } from '../benchmark.js';
import { type BenchDatabase, type BenchEngine, createDatabase, reachableEngines } from '../databases.js';
import { openRawReader, rawSqlFor } from './raw-readers.js';

/**
 * A round begins with a garbage collection, which takes compiled code along: 2,000 reads on sqlite took 59 µs each where
 * 10,000 take 43. On servers it weighs less, as each read takes longer.
 */
const readsOf = ({ name }: BenchEngine) => (name === 'sqlite' ? 10_000 : 2_000);
const BUDGET = 3;
const tenant = { id: uuidv7(), slug: 'acme' };
const asTenant = <T>(work: () => Promise<T>): Promise<T> =>
  runAs({ tenant, actor: { id: 'bench', type: 'job' } }, work);

/** What a contender reads: these rows in turn, so many times a round. */
interface Asked {
  readonly ids: readonly string[];
  readonly reads: number;
}

/** Reads in turn; each must find its row. */
function reader(name: string, { ids, reads }: Asked, read: (id: string) => unknown): Contender {
  return {
    name,
    run: () =>
      asTenant(async () => {
        for (let i = 0; i < reads; i++) notStrictEqual((await read(ids[i % ids.length] ?? '')) ?? null, null);
      }),
  };
}

/** Books in a category: each is an entity with a reference, an embedded value, a list and a collection. */
function createBooks(database: BenchDatabase): Promise<string[]> {
  return asTenant(async () => {
    const em = database.fork();
    const category = ref(em.create(Category, { name: 'Books' } as never));
    const books = Array.from({ length: 200 }, (_, i) => {
      const details = { sku: `sku-${i}`, name: `Thing ${i}`, price: new Money(i, 'EUR'), tags: ['a', 'b'], category };
      return new Book({ ...details, isbn: '9783161484100' });
    });
    em.persist(books);
    await em.flush();
    return books.map(({ id }) => id);
  });
}

/** Parts of the way alone, so that it is seen where the rest of it goes. */
async function parts(engine: EngineName, database: BenchDatabase, asked: Asked): Promise<Contender[]> {
  const states = new Map<string, object>();
  await asTenant(async () => {
    const em = database.fork();
    for (const book of await em.find(Book, {}))
      states.set(book.id, { ...em.getUnitOfWork().getOriginalEntityData(book) });
  });
  const sql = rawSqlFor(engine);
  const send = (id: string) =>
    database
      .fork()
      .getKysely()
      .executeQuery(CompiledQuery.raw(sql, [tenant.id, id]));
  return [
    // Nobody who asks MikroORM for an entity is below this.
    reader('no read: MikroORM makes the entity', asked, (id) =>
      database
        .fork()
        .getEntityFactory()
        .create(Book, { ...states.get(id) } as never, { merge: true, convertCustomTypes: true }),
    ),
    reader('no entity: the statement, guarded', asked, async (id) => (await send(id)).rows[0]),
    reader('neither: a new EntityManager', asked, () => database.fork()),
  ];
}

async function compare(engine: BenchEngine): Promise<Comparison> {
  const database = await createDatabase(engine, tenantEntities as unknown as EntityClass[], {
    entityManager: GuardedEntityManager,
    driver: guardedDriver(engines[engine.name]),
  });
  const asked = { ids: await createBooks(database), reads: readsOf(engine) };
  const raw = await openRawReader(engine.name, database.url);
  const short = 'em.findOne, guarded, by key';
  return {
    title: `${engine.label}: ${asked.reads} × one row of four class-table tables, CPU without the server`,
    by: 'cpu',
    control: reader('prepared driver call', asked, (id) => raw.read(tenant.id, id)),
    contenders: [
      reader(short, asked, (id) => database.fork().findOne(Product, { id } as never)),
      // An option of any kind makes it the long way.
      reader('em.findOne, guarded, with options', asked, (id) =>
        database.fork().findOne(Product, { id } as never, { populate: [] }),
      ),
      ...(await parts(engine.name, database, asked)),
    ],
    budgets: { [short]: BUDGET },
    async close() {
      await raw.close();
      await database.close();
    },
  };
}

/** One row by its key as a managed entity, of the shop's products, in a new EntityManager each, beside the driver. */
export const finder: Benchmark = {
  name: 'finder',
  about: 'one row by its key, managed entity out, beside a prepared driver call with the same joins',
  async *comparisons() {
    for (const engine of reachableEngines()) yield await compare(engine);
  },
};
