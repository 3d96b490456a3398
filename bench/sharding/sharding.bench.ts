import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { raw } from '@mikro-orm/core';
import Database from 'better-sqlite3';
import { ormOptions } from '#libs/persistence';
import {
  createShardedEntityManagerFactory,
  createShardKeyChoosers,
  moduloPlacement,
  type ShardedEntityManager,
  ShardRegistry,
} from '#libs/sharding';
import type { Benchmark, Comparison, Contender } from '../benchmark.js';
import { Item } from './item.entity.js';
import { hasSqlAlchemy, runSqlAlchemy } from './sqlalchemy.js';

const ROWS = 10_000;
const GETS = 2_000;
const SHARDS = 4;
/** Runs of the script before each comparison; its medians are what ours is compared with. */
const PYTHON_RUNS = 3;
const SELECT = 'select id, tenant, name, amount, note from item';

type Row = Required<Pick<Item, 'id' | 'tenant' | 'name' | 'amount'>> & { note: string };

const rows = Array.from({ length: ROWS }, (_, index): Row => {
  const id = index + 1;
  return {
    id,
    tenant: `t${id % 97}`,
    name: `item number ${id}`,
    amount: id * 1.25,
    note: `some note text for row ${id}`,
  };
});
/** Keys in an order that jumps between shards, as the script does. */
const keys = Array.from({ length: GETS }, (_, index) => ((index * 7919) % ROWS) + 1);

/** Four files, our registry on them, and the driver's own connections for the floor. */
class Shards {
  readonly #folder = mkdtempSync(join(tmpdir(), 'rowhouse-bench-'));
  readonly registry: ShardRegistry;
  readonly floor: readonly Database.Database[];
  readonly #gets: readonly Database.Statement[];

  private constructor() {
    const ids = Array.from({ length: SHARDS }, (_, index) => `shard-${index}`);
    const fileOf = (id: string) => join(this.#folder, `${id}.sqlite`);
    this.registry = new ShardRegistry({
      shards: ids.map((id) => ({ id, url: `sqlite:${fileOf(id)}` })),
      ormOptions: ({ url }) => ormOptions(url, { entities: [Item] }),
    });
    this.floor = ids.map((id) => {
      const database = new Database(fileOf(`floor-${id}`));
      database.pragma('journal_mode = wal');
      database.exec(
        'create table item (id integer primary key, tenant text not null, name text not null, amount real not null, note text)',
      );
      return database;
    });
    this.#gets = this.floor.map((database) => database.prepare(`${SELECT} where id = ?`));
  }

  static async open(): Promise<Shards> {
    const shards = new Shards();
    for (const { orm } of shards.registry.all()) await orm.schema.create();
    return shards;
  }

  /** A new unit of work; `narrow: false` asks every shard for a key. */
  create({ narrow = true } = {}): ShardedEntityManager {
    const { registry } = this;
    const placement = moduloPlacement(registry.ids);
    const choosers = createShardKeyChoosers({ placement, keys: [{ entity: Item, property: 'id' }] });
    const everywhere = { identityChooser: () => registry.ids, executeChooser: () => registry.ids };
    const factory = createShardedEntityManagerFactory({
      shards: registry,
      ...choosers,
      ...(narrow ? {} : everywhere),
      mode: 'multi',
    });
    return factory.create();
  }

  async empty(): Promise<void> {
    for (const id of this.registry.ids) await this.registry.entityManager(id).execute('delete from item');
    for (const database of this.floor) database.exec('delete from item');
  }

  async fill(): Promise<void> {
    await this.empty();
    await this.create().insertMany(Item, rows);
    this.insertFloor();
  }

  insertFloor(): void {
    for (const [index, database] of this.floor.entries()) {
      const insert = database.prepare('insert into item (id, tenant, name, amount, note) values (?, ?, ?, ?, ?)');
      database.transaction(() => {
        for (const row of rows) {
          if (row.id % SHARDS === index) insert.run(row.id, row.tenant, row.name, row.amount, row.note);
        }
      })();
    }
  }

  getFloor(id: number): unknown {
    return this.#gets[id % SHARDS]?.get(id);
  }

  async assertFull(): Promise<void> {
    for (const [index, id] of this.registry.ids.entries()) {
      const em = this.registry.entityManager(id);
      const [row] = await em.execute(`select count(*) as n, sum(id % ${SHARDS} <> ${index}) as lost from item`);
      if (Number(row?.n) !== ROWS / SHARDS || Number(row?.lost) !== 0) throw new Error(`${id}: ${JSON.stringify(row)}`);
    }
  }

  async close(): Promise<void> {
    await this.registry.close();
    for (const database of this.floor) database.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** One kind of work: SQLAlchemy's row for it, ours, and the driver's where it has a sensible one. */
interface Kind {
  readonly title: string;
  readonly row: string;
  ours(shards: Shards): Contender;
  floor?(shards: Shards): Contender;
  readonly budget?: number;
}

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
    ours: (shards) => ({
      name: 'find',
      async run() {
        const found = await shards.create().find(Item, {}, { orderBy: { amount: 'desc' }, limit: 50 });
        assertEqual(found.map(({ id }) => id).join(), Array.from({ length: 50 }, (_, i) => ROWS - i).join());
      },
    }),
  },
  {
    row: 'bulk_update_sharded',
    title: `update of ${ROWS} rows on ${SHARDS} shards`,
    ours: (shards) => ({
      name: 'nativeUpdate',
      prepare: () => shards.fill(),
      async run() {
        const changes = { amount: raw('amount + 1') as never };
        assertEqual(await shards.create().nativeUpdate(Item, {}, changes), ROWS);
      },
    }),
  },
];

async function compare(kind: Kind, withPython: boolean): Promise<Comparison> {
  const shards = await Shards.open();
  await shards.fill();
  const ours = kind.ours(shards);
  const floor = kind.floor?.(shards);
  const close = () => shards.close();
  if (!withPython) {
    const [control = ours, ...contenders] = floor ? [floor, ours] : [ours];
    return { title: kind.title, control, contenders, close };
  }
  const times = await runSqlAlchemy(PYTHON_RUNS);
  const control: Contender = {
    name: `SQLAlchemy ${times.version}`,
    // Timed by the script, in a process of its own, just before.
    run: async () => ({ cpuMs: times.of(kind.row), wallMs: times.of(kind.row) }),
  };
  const contenders = floor ? [ours, floor] : [ours];
  return { title: kind.title, control, contenders, budgets: { [ours.name]: kind.budget ?? 1 }, close };
}

/** The sharded EntityManager beside SQLAlchemy's `ShardedSession`, row by row, on sqlite files. */
export const sharding: Benchmark = {
  name: 'sharding',
  about: `the sharded EntityManager over ${SHARDS} sqlite files, beside SQLAlchemy where it is installed`,
  async *comparisons() {
    const withPython = await hasSqlAlchemy();
    if (!withPython) console.log('SQLAlchemy is not there: compared with the driver alone.\n');
    for (const kind of kinds) yield await compare(kind, withPython);
  },
};
