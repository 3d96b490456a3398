// Decides which engines a test run covers, and how. The answer for each is { label, url } or { reason } why not.
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { isInstalled, startServer, versionOf } from './servers.mjs';

export const ENGINES = ['sqlite', 'postgresql', 'mariadb', 'mysql'];

function folderOf(base, name) {
  const folder = join(base, name);
  mkdirSync(folder);
  // A server started by root runs as a user of its own and must be able to get here.
  chmodSync(base, 0o755);
  chmodSync(folder, 0o777);
  return folder;
}

/** The first of `candidates` that answers; every failure becomes part of the reason. */
async function firstThatAnswers(engine, candidates, stops) {
  const reasons = [];
  for (const { name, open } of candidates) {
    try {
      const { url, stop } = await open();
      if (stop) stops.push(stop);
      return { url, version: await versionOf(engine, url) };
    } catch (error) {
      reasons.push(`${name}: ${error.cause?.message ?? error.message}`.split('\n')[0]);
    }
  }
  return { reason: reasons.join('; ') };
}

const given = (variable) =>
  process.env[variable] ? [{ name: variable, open: async () => ({ url: process.env[variable] }) }] : [];

/** A server named by a variable is used or reported, never silently replaced by another one. */
const preferring = (variable, others) => (process.env[variable] ? given(variable) : others);

function findSqlite(folder) {
  const database = new Database(':memory:');
  const { version } = database.prepare('select sqlite_version() as version').get();
  database.close();
  return { url: `sqlite:${folder}`, label: `SQLite ${version}` };
}

async function findPostgresql(folder, stops) {
  const { version, ...found } = await firstThatAnswers(
    'postgresql',
    preferring('TEST_POSTGRES_URL', [
      { name: 'embedded', open: () => startServer('postgresql', folderOf(folder, 'postgresql')) },
      { name: '127.0.0.1:5432', open: async () => ({ url: 'postgresql://postgres@127.0.0.1:5432/postgres' }) },
    ]),
    stops,
  );
  return version ? { ...found, label: version } : found;
}

async function findMariadb(folder, stops) {
  const own = {
    name: 'mariadbd',
    open: () => {
      if (!isInstalled('mariadbd')) throw new Error('not installed');
      return startServer('mariadb', folderOf(folder, 'mariadb'));
    },
  };
  const { version, ...found } = await firstThatAnswers(
    'mariadb',
    preferring('TEST_MARIADB_URL', [
      { name: '127.0.0.1:3306', open: async () => ({ url: 'mariadb://root@127.0.0.1:3306/mysql' }) },
      own,
    ]),
    stops,
  );
  if (!version) return found;
  if (!version.startsWith('MariaDB')) return { reason: `the server is ${version}` };
  return { ...found, label: version };
}

async function findMysql(mariadb) {
  const { version, ...found } = await firstThatAnswers(
    'mysql',
    preferring('TEST_MYSQL_URL', [
      { name: '127.0.0.1:3306', open: async () => ({ url: 'mysql://root@127.0.0.1:3306/mysql' }) },
      ...(mariadb.url
        ? [{ name: 'MariaDB', open: async () => ({ url: mariadb.url.replace('mariadb:', 'mysql:') }) }]
        : []),
    ]),
    [],
  );
  if (!version) return found;
  // The driver is put to the test either way, but a matrix must not claim a product that was not there.
  return { ...found, label: version.startsWith('MariaDB') ? `mysql driver on ${version}` : version };
}

/** `folder`: where embedded databases of this run live. `stops`: receives how to stop what was started. */
export async function findEngines(folder, stops) {
  const wanted = process.env.TEST_ENGINES?.split(',') ?? ENGINES;
  const unknown = wanted.filter((name) => !ENGINES.includes(name));
  if (unknown.length > 0) throw new Error(`TEST_ENGINES names ${unknown}; known are ${ENGINES}.`);
  const leftOut = { reason: 'left out by TEST_ENGINES' };
  const find = (name, fn) => (wanted.includes(name) ? fn() : leftOut);
  const [postgresql, mariadb] = await Promise.all([
    find('postgresql', () => findPostgresql(folder, stops)),
    find('mariadb', () => findMariadb(folder, stops)),
  ]);
  return {
    sqlite: find('sqlite', () => findSqlite(folder)),
    postgresql,
    mariadb,
    mysql: await find('mysql', () => findMysql(mariadb)),
  };
}
