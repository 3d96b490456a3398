import { ormOptions } from '#libs/persistence';
import {
  createShardedEntityManagerFactory,
  createShardKeyChoosers,
  moduloPlacement,
  ShardRegistry,
  type TransactionMode,
} from '#libs/sharding';
import type { Benchmark, Comparison, Contender } from '../benchmark.js';
import { type BenchEngine, createDatabase, reachableEngines } from '../databases.js';
import { Item } from './item.entity.js';

const COMMITS = 200;

/** Two rows, one on each of two shards, flushed again and again. */
async function compareModes(title: string, engines: readonly [BenchEngine, BenchEngine]): Promise<Comparison> {
  const databases = await Promise.all(engines.map((engine) => createDatabase(engine, [Item])));
  const shards = new ShardRegistry({
    shards: databases.map(({ url }, index) => ({ id: `shard-${index + 1}`, url })),
    ormOptions: ({ url }) => ormOptions(url, { entities: [Item] }),
  });
  const choosers = createShardKeyChoosers({
    placement: moduloPlacement(shards.ids),
    keys: [{ entity: Item, property: 'id' }],
  });
  const factory = createShardedEntityManagerFactory({ shards, ...choosers });
  const flushing = (mode: TransactionMode): Contender => ({
    name: mode,
    async prepare() {
      for (const database of databases) await database.fork().nativeDelete(Item, {});
    },
    async run() {
      for (let commit = 0; commit < COMMITS; commit++) {
        const em = factory.create({ mode });
        em.create(Item, { id: 2 * commit, name: 'left' });
        em.create(Item, { id: 2 * commit + 1, name: 'right' });
        await em.flush();
      }
    },
    async verify() {
      const count = await factory.create().count(Item);
      if (count !== 2 * COMMITS) throw new Error(`${count} rows are stored.`);
    },
  });
  return {
    title: `${title}: ${COMMITS} commits over two shards`,
    control: flushing('multi'),
    contenders: [flushing('atomic')],
    async close() {
      await shards.close();
      for (const database of databases) await database.close();
    },
  };
}

/** What all or nothing costs. */
export const commit: Benchmark = {
  name: 'commit',
  about: 'a commit over two shards in the modes multi and atomic',
  async *comparisons() {
    const able = reachableEngines().filter(({ name }) => name !== 'sqlite' && name !== 'mysql');
    for (const engine of able) yield await compareModes(engine.label, [engine, engine]);
    const [first, second] = able;
    if (first && second) yield await compareModes(`${first.label} and ${second.label}`, [first, second]);
  },
};
