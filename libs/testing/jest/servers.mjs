// Finds or starts the database servers of a test run, and clears what runs have left on them.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { MikroORM } from '@mikro-orm/core';

/** Every database and folder of a test starts with this; `<run>` after it tells whose it is. */
export const PREFIX = 'rowhouse_test_';
/** A test run that began longer ago than this, and holds no connection, is dead. */
const STALE_AFTER_MS = 3_600_000;

/** Starts a throw-away server. The pipe to it is the leash: it stops when this process ends. */
export async function startServer(product, folder) {
  const script = fileURLToPath(new URL('./keep-server.mjs', import.meta.url));
  const keeper = spawn(process.execPath, [script, product, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Its own group: Ctrl-C reaches the run, and the run's end reaches the keeper through the pipe.
    detached: true,
  });
  const exited = once(keeper, 'exit');
  const [line] = await Promise.race([once(createInterface(keeper.stdout), 'line'), exited.then(() => ['{}'])]);
  const { url, error = 'the keeper of the server ended' } = JSON.parse(line);
  if (!url) throw new Error(error);
  keeper.unref();
  for (const pipe of [keeper.stdin, keeper.stdout]) pipe.unref();
  const stop = async () => {
    keeper.ref();
    keeper.stdin.end();
    await exited;
  };
  return { url, stop };
}

const packages = { mysql: '@mikro-orm/mysql', mariadb: '@mikro-orm/mariadb', postgresql: '@mikro-orm/postgresql' };
const drivers = { mysql: 'MySqlDriver', mariadb: 'MariaDbDriver', postgresql: 'PostgreSqlDriver' };

/** Runs `fn(execute)` on the server behind `url`. */
export async function onServer(engine, url, fn) {
  const { [drivers[engine]]: driver } = await import(packages[engine]);
  const orm = await MikroORM.init({
    driver,
    clientUrl: url.replace(/^mariadb:/, 'mysql:'),
    entities: [],
    discovery: { warnWhenNoEntities: false },
    driverOptions: engine === 'postgresql' ? { connectionTimeoutMillis: 3000 } : { connectTimeout: 3000 },
  });
  try {
    return await fn((sql) => orm.em.getConnection().execute(sql));
  } finally {
    await orm.close(true);
  }
}

/** What the server calls itself, such as `PostgreSQL 18.4` or `MariaDB 10.11.6`. */
export async function versionOf(engine, url) {
  return onServer(engine, url, async (execute) => {
    const [{ version }] = await execute('select version() as version');
    const number = /\d+(\.\d+)+/.exec(version)?.[0] ?? version;
    if (engine === 'postgresql') return `PostgreSQL ${number}`;
    return /mariadb/i.test(version) ? `MariaDB ${number}` : `MySQL ${number}`;
  });
}

/** Whether a program is installed. */
export function isInstalled(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** When the run that made `name` began; runs name things `rowhouse_test_<base 36 time>x…`. */
function beginOf(name) {
  const stamp = /^rowhouse_test_([0-9a-z]{8})x/.exec(name)?.[1];
  return stamp ? Number.parseInt(stamp, 36) : undefined;
}

/** Drops the databases of `run`, and those of runs that died without dropping theirs. */
export async function dropDatabases(engine, url, run) {
  const isPostgresql = engine === 'postgresql';
  await onServer(engine, url, async (execute) => {
    const rows = await execute(
      isPostgresql
        ? `select d.datname as name, exists (select 1 from pg_stat_activity a where a.datname = d.datname) as used
           from pg_database d where d.datname like 'rowhouse\\_test\\_%'`
        : `select s.schema_name as name, exists (select 1 from information_schema.processlist p where p.db = s.schema_name) as used
           from information_schema.schemata s where s.schema_name like 'rowhouse\\_test\\_%'`,
    );
    for (const { name, used } of rows) {
      const own = name.startsWith(PREFIX + run);
      const dead = !used && Date.now() - (beginOf(name) ?? Date.now()) > STALE_AFTER_MS;
      if (!own && !dead) continue;
      await execute(
        isPostgresql ? `drop database if exists "${name}" with (force)` : `drop database if exists \`${name}\``,
      );
    }
  });
}

/** Removes the folders of runs that died without removing theirs. */
export function removeStaleFolders() {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    const begin = beginOf(name) ?? statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - begin > 24 * STALE_AFTER_MS) rmSync(folder, { recursive: true, force: true });
  }
}
