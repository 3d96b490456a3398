import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { ormOptions } from '#libs/persistence';
import { createTestDatabase, type TestEngine } from '#libs/testing';
import { startOwnServer } from './own-server.js';

/** Sends SQL as the administrator, on the connection that is under test. */
type Send = (sql: string) => Promise<unknown>;

/** A database that lies on a disk of its own, a small one. */
export interface SmallDisk {
  readonly url: string;
  /** Call it when the tables are there: until then a disk that is none has no end. */
  limit(send: Send): Promise<void>;
  /** Gives the disk more room. */
  grow(send: Send): Promise<void>;
  /** Close every connection first. */
  drop(): Promise<void>;
}

/** Megabytes: empty tables take much on MariaDB, and a copy of the catalogue on PostgreSQL. */
const SIZES = { sqlite: [2, 8], postgresql: [16, 32], mariadb: [16, 32], mysql: [16, 32] } as const;

function mount(folder: string, megabytes: number, isMounted = false): void {
  const options = `${isMounted ? 'remount,' : ''}size=${megabytes}m,mode=0777`;
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' });
}

const unmount = (folder: string) => execFileSync('umount', [folder], { stdio: 'ignore' });

async function onServer<T>(url: string, work: (em: SqlEntityManager) => Promise<T>): Promise<T> {
  const options = { entities: [], discovery: { warnWhenNoEntities: false } };
  const orm = await MikroORM.init<AbstractSqlDriver>(ormOptions(url, options, { max: 1 }));
  try {
    return await work(orm.em.fork() as SqlEntityManager);
  } finally {
    await orm.close(true);
  }
}

/** The folder in which the server keeps everything; it may be on another machine. */
async function dataFolder(engine: TestEngine): Promise<string> {
  const sql = engine.name === 'postgresql' ? 'show data_directory' : 'select @@datadir as data_directory';
  const rows = await onServer(engine.serverUrl, (em) => em.execute<{ data_directory: string }[]>(sql));
  return rows[0]?.data_directory ?? '';
}

function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'rowhouse-mount-'));
  try {
    mount(folder, 1);
    unmount(folder);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const hasMariadb = () => spawnSync('mariadbd', ['--version'], { stdio: 'ignore' }).status === 0;

/** Why `engine` can have no small disk here; `undefined` when it can. SQLite knows a quota where nobody may mount. */
export async function whyNoSmallDisk(engine: TestEngine): Promise<string | undefined> {
  if (engine.name === 'sqlite') return undefined;
  if (!mayMount()) return 'no right to mount';
  if (engine.name !== 'postgresql') return hasMariadb() ? undefined : 'there is no mariadbd to start';
  return existsSync(await dataFolder(engine)) ? undefined : 'the server is on another machine';
}

/**
 * Makes an empty database on a small disk. Ask `whyNoSmallDisk` first.
 *
 * @param more  megabytes beyond what a few tables need
 */
export async function aSmallDisk(engine: TestEngine, more = 0): Promise<SmallDisk> {
  const [size, grown] = SIZES[engine.name].map((megabytes) => megabytes + more) as [number, number];
  const place = await (engine.name === 'sqlite'
    ? ownFile()
    : engine.name === 'postgresql'
      ? ownTablespace(engine)
      : ownDatabase(engine));
  if (!mayMount()) return quotaOf(place, size, grown);
  const { folder, url } = place;
  mount(folder, size);
  await place.use();
  return {
    url,
    limit: nothing,
    grow: async () => mount(folder, grown, true),
    async drop() {
      await place.leave();
      unmount(folder);
      await place.remove();
    },
  };
}

interface Place {
  readonly folder: string;
  readonly url: string;
  /** Once the disk is mounted at `folder`. */
  use(): Promise<void>;
  /** Before it is taken away. */
  leave(): Promise<void>;
  remove(): Promise<void>;
}

const nothing = async () => {};

/** SQLite's own limit, in pages of 4 KB. */
function quotaOf({ url, remove }: Place, size: number, grown: number): SmallDisk {
  const limitTo = (send: Send, megabytes: number) => send(`pragma max_page_count = ${megabytes * 250}`);
  return {
    url,
    limit: async (send) => void (await limitTo(send, size)),
    grow: async (send) => void (await limitTo(send, grown)),
    drop: remove,
  };
}

function ownFile(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'rowhouse-full-'));
  const url = `sqlite:${join(folder, 'tenants.sqlite')}`;
  return { folder, url, use: nothing, leave: nothing, remove: async () => rmSync(folder, { recursive: true }) };
}

/**
 * On a server of its own: InnoDB ends the whole server, and with it all other suites, when a large transaction finds no room for its
 * rollback.
 */
async function ownDatabase(engine: TestEngine): Promise<Place> {
  const server = await startOwnServer('mariadb');
  if (!server) throw new Error('There is no mariadbd to start.');
  const own = { ...engine, serverUrl: server.url.replace(/^mariadb:/, `${engine.name}:`) };
  const { name, url, drop } = await createTestDatabase(own);
  const data = await dataFolder(own);
  const { uid, gid } = statSync(data);
  // The folder of the database itself: its tables are files there, and logs are elsewhere.
  const folder = join(data, name);
  return {
    folder,
    url,
    use: async () => chownSync(folder, uid, gid),
    leave: () => emptyDatabase(url),
    async remove() {
      await drop();
      await server.stop();
    },
  };
}

async function ownTablespace(engine: TestEngine): Promise<Place> {
  const { name, url, drop } = await createTestDatabase(engine);
  const { uid, gid } = statSync(await dataFolder(engine));
  const folder = mkdtempSync(join(tmpdir(), 'rowhouse-full-'));
  const tablespace = join(folder, 'tablespace');
  return {
    folder,
    url,
    async use() {
      mkdirSync(tablespace);
      chownSync(tablespace, uid, gid);
      await onServer(engine.serverUrl, async (em) => {
        await em.execute(`create tablespace ${name} location '${tablespace}'`);
        await em.execute(`alter database ${name} set tablespace ${name}`);
      });
    },
    async leave() {
      await drop();
      await onServer(engine.serverUrl, (em) => em.execute(`drop tablespace ${name}`));
    },
    remove: async () => rmSync(folder, { recursive: true }),
  };
}

/** A database whose folder is a disk cannot be dropped before the disk is gone, nor tables after it. */
function emptyDatabase(url: string): Promise<void> {
  return onServer(url, async (em) => {
    const tables = await em.execute<{ name: string }[]>(
      'select table_name as name from information_schema.tables where table_schema = database()',
    );
    const names = tables.map(({ name }) => `\`${name}\``);
    const drop = `set foreign_key_checks = 0; drop table ${names.join(', ')}`;
    if (names.length > 0) for (const sql of drop.split('; ')) await em.execute(sql);
  });
}
