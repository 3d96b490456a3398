import { afterAll, beforeAll, beforeEach, describe, it } from '@jest/globals';
import { type EntityClass, MikroORM } from '@mikro-orm/core';
import { CompiledQuery, type DatabaseConnection } from 'kysely';
import { type OrmOverrides, ormOptions } from '#libs/persistence';
import {
  createShardedEntityManagerFactory,
  createShardKeyChoosers,
  directoryPlacement,
  type ShardDefinition,
  type ShardedEntityManager,
  type ShardedEntityManagerFactoryOptions,
  type ShardId,
  ShardRegistry,
} from '#libs/sharding';
import { createTestDatabase, eachEngine, reachableEngines, type TestDatabase, type TestEngine } from '#libs/testing';
import { Instrument, Location, Maker, Quantity, Report, weatherModel } from './weather.model.js';

/** Continent → shard, in the order of the shards; where there are fewer shards, they go round. */
export const CONTINENTS = ['north_america', 'asia', 'europe', 'south_america'] as const;

export type Continent = (typeof CONTINENTS)[number];
type PerContinent = Partial<Record<Continent, number>>;

/** Shards of a suite's own, open while its cases run; every case finds them empty. */
export interface ShardSuite {
  /** How many shards there are; known while cases are declared. */
  readonly count: number;
  readonly registry: ShardRegistry;
  /** The shard of a continent. */
  at(continent: Continent): ShardId;
  /** The shards of continents, each once, in the order they are named. */
  shardsOf(...continents: Continent[]): ShardId[];
  /** The continents of a shard, in their order. */
  continentsOn(id: ShardId): Continent[];
  /** Rows of each shard, in configured order, of so many of each continent. */
  rows(counts: PerContinent): number[];
  /**
   * What `statementsOf` gives for so many statements on the shard of each continent. Continents that share a shard share
   * its statements, those of one step after the other do not.
   */
  sent(...steps: PerContinent[]): Record<ShardId, number>;
  /** What `statementsOf` gives for so many statements on every shard. */
  sentToEach(count?: number): Record<ShardId, number>;
  /** What opens a shard as this suite does, for a registry beside its own. */
  overridesOf(id: ShardId): OrmOverrides;
  /** A fresh unit of work. */
  create(options?: Partial<ShardedEntityManagerFactoryOptions> & { shard?: ShardId }): ShardedEntityManager;
  /** Statements sent per shard while `fn` runs, begin and commit left out. */
  statementsOf(fn: () => Promise<unknown>): Promise<Record<ShardId, number>>;
}

/** Continents on their shards, everything else by following. */
export function weatherChoosers(shards: readonly ShardId[]) {
  return createShardKeyChoosers({
    placement: directoryPlacement((continent) => shards[indexOn(shards.length, continent)]),
    keys: [
      { entity: Location, property: 'continent' },
      { entity: Instrument, property: 'continent' },
      { entity: Maker, property: 'continent' },
      { entity: Report, follows: 'location' },
      { entity: Quantity, onEveryShard: true },
    ],
  });
}

/** Which of so many shards; -1 for what is no continent. */
function indexOn(count: number, continent: unknown): number {
  const index = CONTINENTS.indexOf(continent as Continent);
  return index < 0 ? index : index % count;
}

/** How the shards of a suite are laid out. */
interface Layout {
  /** Engine of each shard. */
  readonly engines: readonly TestEngine[];
  /** All in one database, each in a schema of its own. */
  readonly inSchemas?: boolean;
  /** Of sqlite, gone with its connection: nothing waits for a disk. */
  readonly inMemory?: boolean;
}

/**
 * Declares `cases` for four shards in separate databases of each engine, four PostgreSQL schemas, and shards of different
 * engines; and for other numbers of shards, on which no behaviour may depend.
 */
export function eachLayout(cases: (suite: ShardSuite) => void, entities: EntityClass[] = weatherModel): void {
  eachEngine((engine) => cases(aShardSuite({ engines: Array(4).fill(engine) }, entities)));
  const reachable = reachableEngines();
  const postgresql = reachable.find(({ name }) => name === 'postgresql');
  if (postgresql) {
    const layout = { engines: Array(4).fill(postgresql), inSchemas: true };
    describe('in schemas of one postgresql database', () => cases(aShardSuite(layout, entities)));
  }
  if (reachable.length > 1) {
    const engines = [0, 1, 2, 3].map((index) => reachable[index % reachable.length] as TestEngine);
    describe(`mixed: ${reachable.map(({ name }) => name).join(', ')}`, () => cases(aShardSuite({ engines }, entities)));
  }
  eachNumberOfShards(cases, entities);
}

/** Declares a case about continents that lie on so many shards; over fewer it says that it needs them. */
export function itApart(suite: ShardSuite, shards: number, title: string, run: () => Promise<void>): void {
  if (suite.count >= shards) it(title, run);
  else it.skip(`${title} (needs ${shards} shards)`, run);
}

/** Declares `cases` for 1, 2 and 16 sqlite shards in memory, the layout that costs least. */
export function eachNumberOfShards(
  cases: (suite: ShardSuite) => void,
  entities: EntityClass[] = weatherModel,
  counts: readonly number[] = [1, 2, 16],
): void {
  const sqlite = reachableEngines().find(({ name }) => name === 'sqlite');
  if (!sqlite) return;
  for (const count of counts) {
    const layout = { engines: Array(count).fill(sqlite), inMemory: true };
    describe(`over ${count} shards`, () => cases(aShardSuite(layout, entities)));
  }
}

/** Shards called `shard-1`, `shard-2`, …, with their tables. */
export function aShardSuite(
  { engines, inSchemas, inMemory }: Layout,
  entities: EntityClass[] = weatherModel,
): ShardSuite {
  const databases: TestDatabase[] = [];
  const sent: ShardId[] = [];
  const tell = (id: ShardId, sql: string) => {
    sent.push(id);
    return sql;
  };
  let registry: ShardRegistry | undefined;
  const opened = () => {
    if (!registry) throw new Error('The shards are not open yet: use them in cases and hooks.');
    return registry;
  };

  beforeAll(async () => {
    const apart = inMemory ? [] : inSchemas ? engines.slice(0, 1) : engines;
    for (const engine of apart) databases.push(await createTestDatabase(engine));
    const shards: ShardDefinition[] = engines.map((_, index) => ({
      id: `shard-${index + 1}`,
      url: (databases[index] ?? databases[0])?.url ?? 'sqlite::memory:',
    }));
    const optionsOf = ({ id, url }: ShardDefinition) => {
      const overrides = { entities: [...entities], onQuery: (sql: string) => tell(id, sql) };
      return ormOptions(url, inSchemas ? { ...overrides, ...inSchema(id) } : overrides, { max: 3 });
    };
    registry = new ShardRegistry({ shards, ormOptions: optionsOf });
    for (const { id, orm } of registry.all()) {
      // The discovery they share has the pivot tables of all of them refer to the first one's schema.
      const own = inSchemas ? new MikroORM(optionsOf(registry.definition(id))) : orm;
      await own.schema.create();
      if (own !== orm) await own.close();
    }
  }, 60_000);

  beforeEach(async () => {
    await Promise.all(
      opened()
        .all()
        .map(({ orm }) => orm.schema.clear()),
    );
  });

  afterAll(async () => {
    await registry?.close();
    for (const database of databases) await database.drop();
  }, 60_000);

  const count = engines.length;
  const at = (continent: Continent) => opened().ids[indexOn(count, continent)] as ShardId;
  return {
    count,
    get registry() {
      return opened();
    },
    at,
    shardsOf: (...continents) => [...new Set(continents.map(at))],
    continentsOn: (id) => CONTINENTS.filter((it) => at(it) === id),
    rows: (counts) =>
      opened().ids.map((id) => CONTINENTS.reduce((sum, it) => sum + (at(it) === id ? (counts[it] ?? 0) : 0), 0)),
    sent(...steps) {
      const total: Record<ShardId, number> = {};
      for (const step of steps) {
        for (const id of opened().ids) {
          const most = Math.max(0, ...CONTINENTS.map((it) => (at(it) === id ? (step[it] ?? 0) : 0)));
          if (most > 0) total[id] = (total[id] ?? 0) + most;
        }
      }
      return total;
    },
    sentToEach: (times = 1) => Object.fromEntries(opened().ids.map((id) => [id, times])),
    overridesOf: (id) => (inSchemas ? inSchema(id) : {}),
    create({ shard, ...options } = {}) {
      const shards = opened();
      return createShardedEntityManagerFactory({ shards, ...weatherChoosers(shards.ids), ...options }).create({
        shard,
      });
    },
    async statementsOf(fn) {
      sent.length = 0;
      await fn();
      return Object.fromEntries(
        opened().ids.flatMap((id) => {
          const count = sent.filter((it) => it === id).length;
          return count > 0 ? [[id, count]] : [];
        }),
      );
    },
  };
}

/** The id of the report of a continent: every shard numbers its own, from 1. */
export function reportOf(suite: ShardSuite, continent: Continent): number {
  return 1 + suite.continentsOn(suite.at(continent)).indexOf(continent);
}

/** Four stations, one per continent, with a report each. */
export async function seedWeather(suite: ShardSuite): Promise<void> {
  const em = suite.create({ mode: 'multi' });
  const cities = ['New York', 'Tokyo', 'London', 'Quito'];
  for (const [index, continent] of CONTINENTS.entries()) {
    const location = em.create(Location, { id: index + 1, continent, city: cities[index] });
    em.create(Report, {
      id: reportOf(suite, continent),
      location,
      temperature: `${index}.50`,
      reportedAt: new Date(Date.UTC(2026, 0, index + 1)),
    });
  }
  await em.flush();
}

/** A schema named like the shard, also for raw SQL, which MikroORM does not qualify. */
function inSchema(id: ShardId): OrmOverrides {
  return {
    schema: id,
    onCreateConnection: async (connection) => {
      await (connection as DatabaseConnection).executeQuery(CompiledQuery.raw(`set search_path = "${id}"`));
    },
  };
}
