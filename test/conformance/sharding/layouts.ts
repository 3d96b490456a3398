import { afterAll, beforeAll, beforeEach, describe } from '@jest/globals';
import type { EntityClass } from '@mikro-orm/core';
import { ormOptions } from '#libs/persistence';
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
import { Instrument, Location, Report, weatherModel } from './weather.model.js';

/** Continent → shard, in the order of the shards. */
export const CONTINENTS = ['north_america', 'asia', 'europe', 'south_america'] as const;

/** Shards of a suite's own, open while its cases run; every case finds them empty. */
export interface ShardSuite {
  readonly registry: ShardRegistry;
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
      { entity: Report, follows: 'location' },
    ],
  });
}

/** Declares `cases` for shards in separate databases of each engine, and once for shards of different engines. */
export function eachLayout(cases: (suite: ShardSuite) => void, entities: EntityClass[] = weatherModel): void {
  eachEngine((engine) => cases(aShardSuite(Array(4).fill(engine), entities)));
  const mixed = reachableEngines();
  if (mixed.length > 1) {
    describe(`mixed: ${mixed.map(({ name }) => name).join(', ')}`, () => {
      cases(
        aShardSuite(
          [0, 1, 2, 3].map((index) => mixed[index % mixed.length] as TestEngine),
          entities,
        ),
      );
    });
  }
}

/** One shard per engine given, called `shard-1`, `shard-2`, …, with their tables. */
export function aShardSuite(engines: readonly TestEngine[], entities: EntityClass[] = weatherModel): ShardSuite {
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
    for (const engine of engines) databases.push(await createTestDatabase(engine));
    const shards: ShardDefinition[] = databases.map(({ url }, index) => ({ id: `shard-${index + 1}`, url }));
    registry = new ShardRegistry({
      shards,
      ormOptions: ({ id, url }) =>
        ormOptions(url, { entities: [...entities], onQuery: (sql) => tell(id, sql) }, { max: 3 }),
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
