import { notStrictEqual } from 'node:assert';
import type { EntityClass } from '@mikro-orm/core';
import { v7 as uuidv7 } from 'uuid';
import { runAs } from '#libs/context';
import { engines, Money } from '#libs/persistence';
import { GuardedEntityManager, guardedDriver } from '#libs/tenancy';
import type { Benchmark, Comparison, Contender } from '../benchmark.js';
import { DigitalItem, Item } from '../bulk/bulk-model.js';
import { type BenchEngine, createDatabase, reachableEngines } from '../databases.js';
import { openRawReader } from './raw-readers.js';

const READS = 500;
const BUDGET = 3;
const tenant = { id: uuidv7(), slug: 'acme' };
const asTenant = <T>(work: () => Promise<T>): Promise<T> =>
  runAs({ tenant, actor: { id: 'bench', type: 'job' } }, work);

/** Reads in turn; each must find its row. */
function reader(name: string, ids: readonly string[], read: (id: string) => unknown): Contender {
  return {
    name,
    run: () =>
      asTenant(async () => {
        for (let i = 0; i < READS; i++) notStrictEqual((await read(ids[i % ids.length] ?? '')) ?? null, null);
      }),
  };
}

async function compare(engine: BenchEngine): Promise<Comparison> {
  const entities = [Item, DigitalItem] as unknown as EntityClass[];
  const database = await createDatabase(engine, entities, {
    entityManager: GuardedEntityManager,
    driver: guardedDriver(engines[engine.name]),
  });
  const ids = await asTenant(async () => {
    const em = database.fork();
    const items = Array.from({ length: 200 }, (_, i) => {
      const values = { sku: `sku-${i}`, name: `Thing ${i}`, price: new Money(i, 'EUR'), downloadSizeKb: i };
      return em.create(DigitalItem, values as never);
    });
    await em.flush();
    return items.map(({ id }) => id);
  });
  const raw = await openRawReader(engine.name, database.url);
  const short = 'em.findOne, guarded, by key';
  return {
    title: `${engine.label}: ${READS} × one class-table row, CPU without the server`,
    by: 'cpu',
    control: reader('prepared driver call', ids, (id) => raw.read(tenant.id, id)),
    contenders: [
      reader(short, ids, (id) => database.fork().findOne(Item, { id } as never)),
      // An option of any kind makes it the long way.
      reader('em.findOne, guarded, with options', ids, (id) =>
        database.fork().findOne(Item, { id } as never, { populate: [] }),
      ),
    ],
    budgets: { [short]: BUDGET },
    async close() {
      await raw.close();
      await database.close();
    },
  };
}

/** One row by its key as a managed entity, in a new EntityManager each, beside the driver. */
export const finder: Benchmark = {
  name: 'finder',
  about: 'one row by its key, managed entity out, beside a prepared driver call with the same join',
  async *comparisons() {
    for (const engine of reachableEngines()) yield await compare(engine);
  },
};
