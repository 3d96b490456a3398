import { describe } from '@jest/globals';
import { reachableEngines, type TestEngine } from '#libs/testing';
import { aShardSuite, type ShardSuite } from './layouts.js';

/** The first of `names` that this run can reach; `undefined` without one. */
function findEngine(...names: string[]): TestEngine | undefined {
  return names.map((name) => reachableEngines().find((engine) => engine.name === name)).find(Boolean);
}

/**
 * Declares `cases` for three shards that can prepare transactions: databases of PostgreSQL, of MariaDB (or MySQL), schemas
 * of one PostgreSQL database, and engines mixed.
 */
export function eachAtomicLayout(cases: (suite: ShardSuite) => void): void {
  const postgresql = findEngine('postgresql');
  const mariadb = findEngine('mariadb', 'mysql');
  for (const engine of [postgresql, mariadb]) {
    if (engine) describe(`on ${engine.name}`, () => cases(aShardSuite({ engines: Array(3).fill(engine) })));
  }
  if (postgresql) {
    const layout = { engines: Array(3).fill(postgresql), inSchemas: true };
    describe('in schemas of one postgresql database', () => cases(aShardSuite(layout)));
  }
  const mixed = [postgresql, mariadb, findEngine('mysql', 'mariadb')];
  if (mixed.every((engine) => engine !== undefined)) {
    describe(`mixed: ${mixed.map(({ name }) => name).join(', ')}`, () => cases(aShardSuite({ engines: mixed })));
  }
}

/** The same, and for 1, 2, 4 and 16 schemas of one PostgreSQL database: the cheapest shards that can prepare. */
export function eachAtomicNumberOfShards(cases: (suite: ShardSuite) => void): void {
  eachAtomicLayout(cases);
  const postgresql = findEngine('postgresql');
  if (!postgresql) return;
  for (const count of [1, 2, 4, 16]) {
    const layout = { engines: Array(count).fill(postgresql), inSchemas: true };
    describe(`over ${count} shards`, () => cases(aShardSuite(layout)));
  }
}

/** Declares `cases` for three shards of which one at least cannot prepare. */
export function eachLayoutWithSqlite(cases: (suite: ShardSuite) => void): void {
  const sqlite = findEngine('sqlite');
  if (!sqlite) return;
  describe('on sqlite', () => cases(aShardSuite({ engines: Array(3).fill(sqlite) })));
  const [postgresql, mariadb] = [findEngine('postgresql'), findEngine('mariadb', 'mysql')];
  if (!postgresql || !mariadb) return;
  const engines = [postgresql, sqlite, mariadb];
  describe(`mixed: ${engines.map(({ name }) => name).join(', ')}`, () => cases(aShardSuite({ engines })));
}
