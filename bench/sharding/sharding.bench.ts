import { raw } from '@mikro-orm/core';
import type { ShardedEntityManager } from '#libs/sharding';
import type { Benchmark, Comparison, Contender } from '../benchmark.js';
import { Item } from './item.entity.js';
import { routingCosts } from './routing-costs.js';
import { GETS, keys, ROWS, rows, SELECT, SHARDS, Shards } from './shards.js';
import { hasSqlAlchemy, SqlAlchemyClock } from './sqlalchemy.js';

/** One kind of work: SQLAlchemy's row for it, ours, and the driver's where it has a sensible one. */
interface Kind {
  readonly title: string;
  readonly row: string;
  ours(shards: Shards): Contender;
  floor?(shards: Shards): Contender;
  readonly budget?: number;
  /**
   * For calls too short to be timed one by one: a server makes them all day, but each round begins with a full garbage
   * collection, after which V8 compiles anew what it had compiled. Python compiles nothing on the way. Time is that of one.
   */
  readonly repeats?: number;
}

/** The contender with its work done `repeats` times in a round, and timed as one of them. */
function repeated({ run, ...contender }: Contender, repeats: number): Contender {
  return {
    ...contender,
    async run() {
      const cpu = process.cpuUsage();
      const start = performance.now();
      for (let time = 0; time < repeats; time++) await run();
      const { user, system } = process.cpuUsage(cpu);
      return { wallMs: (performance.now() - start) / repeats, cpuMs: (user + system) / 1000 / repeats };
    },
  };
}

/** The keys of the 50 rows with the largest amounts, in their order. */
const LARGEST = Array.from({ length: 50 }, (_, index) => ROWS - index).join();

function assertEqual(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${String(actual)} instead of ${String(expected)}`);
}

function writing(shards: Shards, run: () => Promise<unknown>): Omit<Contender, 'name'> {
  return {
    prepare: () => shards.empty(),
    run: async () => void (await run()),
    verify: () => shards.assertFull(),
  };
}

function getting(row: string, title: string, ours: (shards: Shards) => () => Promise<number>): Kind {
  return {
    row,
    title,
    ours: (shards) => ({ name: 'findOne', run: async () => assertEqual(await ours(shards)(), GETS) }),
    floor: (shards) => ({
      name: 'better-sqlite3, prepared',
      run: () => assertEqual(keys.filter((id) => shards.getFloor(id) !== undefined).length, GETS),
    }),
  };
}

async function countFound(em: ShardedEntityManager, get: (em: ShardedEntityManager, id: number) => Promise<unknown>) {
  let found = 0;
  for (const id of keys) if (await get(em, id)) found++;
  return found;
}

const kinds: readonly Kind[] = [
  {
    row: 'uow_insert_sharded',
    title: `unit of work, ${ROWS} new entities over ${SHARDS} shards`,
    ours(shards) {
      let entities: Item[] = [];
      const work = writing(shards, () => shards.create().persist(entities).flush());
      return {
        ...work,
        name: 'persist and flush',
        async prepare() {
          await work.prepare?.();
          entities = rows.map((row) => Object.assign(new Item(), row));
        },
      };
    },
    floor: (shards) => ({
      name: 'better-sqlite3, prepared',
      prepare: () => shards.empty(),
      run: () => shards.insertFloor(),
    }),
  },
  {
    row: 'core_executemany',
    title: `bulk insert of ${ROWS} rows over ${SHARDS} shards, against Core executemany`,
    ours: (shards) => ({ ...writing(shards, () => shards.create().bulkInsert(Item, rows)), name: 'bulkInsert' }),
    floor: (shards) => ({
      name: 'better-sqlite3, prepared',
      prepare: () => shards.empty(),
      run: () => shards.insertFloor(),
    }),
  },
  getting('get_token', `${GETS} by key, shard given`, (shards) => () => {
    const { ids } = shards.registry;
    return countFound(shards.create(), (em, id) => em.findOne(Item, id, { shard: ids[id % SHARDS] as string }));
  }),
  getting(
    'get_execute_chooser',
    `${GETS} by key, routed`,
    (shards) => () => countFound(shards.create(), (em, id) => em.findOne(Item, id)),
  ),
  getting(
    'get_scatter',
    `${GETS} by key, asking every shard`,
    (shards) => () => countFound(shards.create({ narrow: false }), (em, id) => em.findOne(Item, id)),
  ),
  {
    row: 'get_identity_map',
    title: `${GETS} by key, loaded already`,
    ours(shards) {
      const em = shards.create();
      return {
        name: 'findOne',
        prepare: async () => void (await em.find(Item, {})),
        run: async () => assertEqual(await countFound(em, (it, id) => it.findOne(Item, id)), GETS),
      };
    },
  },
  {
    row: 'scatter_select_sharded',
    title: `all ${ROWS} entities of ${SHARDS} shards`,
    ours: (shards) => ({
      name: 'find',
      run: async () => assertEqual((await shards.create().find(Item, {})).length, ROWS),
    }),
    floor: (shards) => ({
      name: 'better-sqlite3, rows',
      run: () => assertEqual(shards.floor.flatMap((database) => database.prepare(SELECT).all()).length, ROWS),
    }),
  },
  {
    row: 'scatter_order_limit',
    title: `the first 50 of ${ROWS} by amount`,
    repeats: 50,
    ours: (shards) => ({
      name: 'find',
      async run() {
        const found = await shards.create().find(Item, {}, { orderBy: { amount: 'desc' }, limit: 50 });
        assertEqual(found.map(({ id }) => id).join(), LARGEST);
      },
    }),
    floor: (shards) => ({
      name: 'better-sqlite3, rows',
      run() {
        const best = shards.floor.flatMap(
          (it) => it.prepare(`${SELECT} order by amount desc limit 50`).all() as Item[],
        );
        best.sort((a, b) => b.amount - a.amount);
        assertEqual(
          best
            .slice(0, 50)
            .map(({ id }) => id)
            .join(),
          LARGEST,
        );
      },
    }),
  },
  {
    row: 'bulk_update_sharded',
    title: `update of ${ROWS} rows on ${SHARDS} shards`,
    // Not more: from 1,000 pages in its log on, SQLite copies them back, which SQLAlchemy's single update never meets.
    repeats: 5,
    ours: (shards) => ({
      name: 'nativeUpdate',
      prepare: () => shards.fill(),
      async run() {
        const changes = { amount: raw('amount + 1') as never };
        assertEqual(await shards.create().nativeUpdate(Item, {}, changes), ROWS);
      },
    }),
    floor: (shards) => ({
      name: 'better-sqlite3, one each',
      prepare: () => shards.fill(),
      run() {
        const updates = shards.floor.map((database) => database.prepare('update item set amount = amount + 1'));
        assertEqual(
          updates.reduce((sum, update) => sum + update.run().changes, 0),
          ROWS,
        );
      },
    }),
  },
];

async function compare(kind: Kind, clock: SqlAlchemyClock | undefined): Promise<Comparison> {
  const shards = await Shards.open();
  await shards.fill();
  const { title, repeats = 1 } = kind;
  const ours = repeated(kind.ours(shards), repeats);
  const floor = kind.floor && repeated(kind.floor(shards), repeats);
  const common = { title, close: () => shards.close() };
  if (!clock) {
    const [control = ours, ...contenders] = floor ? [floor, ours] : [ours];
    return { ...common, control, contenders };
  }
  await clock.sample(1);
  let turn = 0;
  const control: Contender = {
    name: `SQLAlchemy ${clock.version}`,
    // Timed by the script, in a process of its own, just before and between the comparisons before this one.
    async run() {
      const milliseconds = clock.of(kind.row, turn++);
      return { cpuMs: milliseconds, wallMs: milliseconds };
    },
  };
  const contenders = floor ? [ours, floor] : [ours];
  return { ...common, control, contenders, budgets: { [ours.name]: kind.budget ?? 1 } };
}

/** The sharded EntityManager beside SQLAlchemy's `ShardedSession`, row by row, on sqlite files. */
export const sharding: Benchmark = {
  name: 'sharding',
  about: `the sharded EntityManager over ${SHARDS} sqlite files, beside SQLAlchemy where it is installed`,
  async *comparisons() {
    const withPython = await hasSqlAlchemy();
    if (!withPython) console.log('SQLAlchemy is not there: compared with the driver alone.\n');
    const clock = withPython ? new SqlAlchemyClock() : undefined;
    await clock?.sample(2);
    for (const kind of kinds) yield await compare(kind, clock);
    yield* routingCosts();
  },
};
