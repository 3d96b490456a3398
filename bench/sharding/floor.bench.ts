import { ormOptions } from '#libs/persistence';
import {
  createShardedEntityManagerFactory,
  createShardKeyChoosers,
  moduloPlacement,
  type ShardedEntityManagerFactory,
  ShardRegistry,
} from '#libs/sharding';
import type { Benchmark, Comparison, Contender } from '../benchmark.js';
import type { RawTable } from '../bulk/raw-tables.js';
import { openRawWriter, type RawWriter } from '../bulk/raw-writers.js';
import { type BenchDatabase, type BenchEngine, createDatabase, reachableEngines } from '../databases.js';
import { Item } from './item.entity.js';
import { GETS, keys, ROWS, rows, SHARDS, Shards } from './shards.js';

const TABLE: RawTable = { name: 'item', columns: ['id', 'tenant', 'name', 'amount', 'note'] };
/** A flush may cost so many times what the driver's best way costs; only sqlite has a budget. */
const FLUSH_BUDGET = 10;

/** Databases of one engine, a driver's connection to each, and our registry on them. */
class Spread {
  private constructor(
    readonly engine: BenchEngine,
    readonly databases: readonly BenchDatabase[],
    readonly raw: readonly RawWriter[],
    readonly registry: ShardRegistry,
    readonly factory: ShardedEntityManagerFactory,
  ) {}

  static async open(engine: BenchEngine): Promise<Spread> {
    const databases: BenchDatabase[] = [];
    for (let shard = 0; shard < SHARDS; shard++) databases.push(await createDatabase(engine, [Item]));
    const raw = await Promise.all(databases.map(({ url }) => openRawWriter(engine.name, url)));
    const shards = new ShardRegistry({
      shards: databases.map(({ url }, index) => ({ id: `shard-${index}`, url })),
      ormOptions: ({ url }) => ormOptions(url, { entities: [Item] }),
    });
    const placement = moduloPlacement(shards.ids);
    const choosers = createShardKeyChoosers({ placement, keys: [{ entity: Item, property: 'id' }] });
    const factory = createShardedEntityManagerFactory({ shards, ...choosers, mode: 'multi' });
    return new Spread(engine, databases, raw, shards, factory);
  }

  async empty(): Promise<void> {
    for (const writer of this.raw) await writer.execute('delete from item');
  }

  /** Each row is on the shard of its key. */
  async assertHeld(count: number): Promise<void> {
    for (const [index, database] of this.databases.entries()) {
      const sql = `select count(*) as n, sum(case when id % ${SHARDS} = ${index} then 0 else 1 end) as lost from item`;
      const [row] = await database.fork().execute(sql);
      if (Number(row?.n) !== count / SHARDS || Number(row?.lost) !== 0) throw new Error(JSON.stringify(row));
    }
  }

  /** The driver's best way, every shard at the same time. */
  driver(): Contender {
    const [name = ''] = Object.keys(this.raw[0]?.ways ?? {});
    return {
      name: `driver, ${name}`,
      prepare: () => this.empty(),
      run: () => this.#writeRaw(name),
      verify: () => this.assertHeld(ROWS),
    };
  }

  async #writeRaw(way: string): Promise<void> {
    const parts: unknown[][][] = this.raw.map(() => []);
    for (const { id, tenant, name, amount, note } of rows) parts[id % SHARDS]?.push([id, tenant, name, amount, note]);
    const write = (writer: RawWriter, index: number) =>
      writer.ways[way]?.([{ table: TABLE, rows: parts[index] ?? [] }]);
    await Promise.all(this.raw.map(write));
  }

  bulk(): Contender {
    return {
      name: 'bulkInsert',
      prepare: () => this.empty(),
      run: async () => void (await this.factory.create().bulkInsert(Item, rows)),
      verify: () => this.assertHeld(ROWS),
    };
  }

  flush(count: number): Contender {
    let entities: Item[] = [];
    return {
      name: `flush of ${count}`,
      prepare: async () => {
        await this.empty();
        entities = rows.slice(0, count).map((row) => Object.assign(new Item(), row));
      },
      run: () => this.factory.create().persist(entities).flush(),
      verify: () => this.assertHeld(count),
    };
  }

  async close(): Promise<void> {
    await this.registry.close();
    for (const writer of this.raw) await writer.close();
    for (const database of this.databases) await database.close();
  }
}

async function compareWrites(engine: BenchEngine): Promise<Comparison> {
  const spread = await Spread.open(engine);
  const whole = spread.flush(ROWS);
  return {
    title: `${engine.label}: ${ROWS} rows over ${SHARDS} shards`,
    control: spread.driver(),
    contenders: [spread.bulk(), spread.flush(ROWS / 4), whole],
    budgets: { bulkInsert: 1.5, ...(engine.name === 'sqlite' && { [whole.name]: FLUSH_BUDGET }) },
    close: () => spread.close(),
  };
}

async function compareGets(): Promise<Comparison> {
  const shards = await Shards.open();
  await shards.fill();
  return {
    title: `SQLite: ${GETS} by key, routed over ${SHARDS} shards`,
    control: {
      name: 'better-sqlite3, prepared',
      run() {
        if (keys.some((id) => shards.getFloor(id) === undefined)) throw new Error('A row is not there.');
      },
    },
    contenders: [
      {
        name: 'findOne',
        async run() {
          const em = shards.create();
          for (const id of keys) if (!(await em.findOne(Item, id))) throw new Error('A row is not there.');
        },
      },
    ],
    budgets: { findOne: 4 },
    close: () => shards.close(),
  };
}

/** What the sharded EntityManager costs beside drivers that do the same by hand. */
export const shardingFloor: Benchmark = {
  name: 'sharding-floor',
  about: `${ROWS} rows over ${SHARDS} shards of every engine in reach, and ${GETS} routed gets, beside the bare driver`,
  async *comparisons() {
    for (const engine of reachableEngines()) yield await compareWrites(engine);
    if (reachableEngines().some(({ name }) => name === 'sqlite')) yield await compareGets();
  },
};
