import { afterAll, beforeAll, beforeEach, describe } from '@jest/globals';
import type { EntityClass } from '@mikro-orm/core';
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

/** Continent → shard, in the order of the shards. */
export const CONTINENTS = ['north_america', 'asia', 'europe', 'south_america'] as const;

/** Shards of a suite's own, open while its cases run; every case finds them empty. */
export interface ShardSuite {
  readonly registry: ShardRegistry;
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
    placement: directoryPlacement((continent) => shards[CONTINENTS.indexOf(continent as never) % shards.length]),
    keys: [
      { entity: Location, property: 'continent' },
      { entity: Instrument, property: 'continent' },
      { entity: Maker, property: 'continent' },
      { entity: Report, follows: 'location' },
      { entity: Quantity, onEveryShard: true },
    ],
  });
}

/** How the shards of a suite are laid out. */
interface Layout {
  /** Engine of each shard. */
  readonly engines: readonly TestEngine[];
  /** All in one database, each in a schema of its own. */
  readonly inSchemas?: boolean;
}

/**
 * Declares `cases` for four shards in separate databases of each engine, four PostgreSQL schemas, and shards of different
 * engines.
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
}

/** Declares `cases` for 1, 2 and 16 sqlite shards: answers must not depend on how many there are. */
export function eachNumberOfShards(
  cases: (suite: ShardSuite) => void,
  entities: EntityClass[] = weatherModel,
  counts: readonly number[] = [1, 2, 16],
): void {
  const sqlite = reachableEngines().find(({ name }) => name === 'sqlite');
  if (!sqlite) return;
  for (const count of counts) {
    describe(`over ${count} shards`, () => cases(aShardSuite({ engines: Array(count).fill(sqlite) }, entities)));
  }
}

/** Shards called `shard-1`, `shard-2`, …, with their tables. */
export function aShardSuite({ engines, inSchemas }: Layout, entities: EntityClass[] = weatherModel): ShardSuite {
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
    for (const engine of inSchemas ? engines.slice(0, 1) : engines) databases.push(await createTestDatabase(engine));
    const shards: ShardDefinition[] = engines.map((_, index) => ({
      id: `shard-${index + 1}`,
      url: (databases[index] ?? databases[0])?.url as string,
    }));
    registry = new ShardRegistry({
      shards,
      ormOptions: ({ id, url }) => {
        const overrides = { entities: [...entities], onQuery: (sql: string) => tell(id, sql) };
        return ormOptions(url, inSchemas ? { ...overrides, ...inSchema(id) } : overrides, { max: 3 });
      },
    });
    for (const { orm } of registry.all()) await orm.schema.create();
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

  return {
    get registry() {
      return opened();
    },
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

/** Four stations, one per continent, with a report each: every shard numbers its report 1. */
export async function seedWeather(suite: ShardSuite): Promise<void> {
  const em = suite.create({ mode: 'multi' });
  const cities = ['New York', 'Tokyo', 'London', 'Quito'];
  for (const [index, continent] of CONTINENTS.entries()) {
    const location = em.create(Location, { id: index + 1, continent, city: cities[index] });
    em.create(Report, {
      id: 1,
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
