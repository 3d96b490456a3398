import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readConfig } from '#apps/api';
import { currentContext, runAs } from '#libs/context';
import { runInSystemFrame, TransactionPoolerError } from '#libs/persistence';
import { IsolationStrategies, type IsolationStrategyName, type Placement } from '#libs/tenancy';
import {
  aTenant,
  createTestDatabase,
  eachEngine,
  shopModel,
  Tag,
  type TestDatabase,
  TestTenantDatabases,
} from '#libs/testing';
import { commands } from '../apps/cli/src/rowhouse/commands.js';
import { runCli } from '../apps/cli/src/rowhouse/run-cli.js';
import { ApiClient, signUp } from './support/api-client.js';
import { startTestApp } from './support/test-app.js';

const actor = { id: 'spec', type: 'system' } as const;

function isInstalled(): boolean {
  try {
    execFileSync('pgbouncer', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** PgBouncer in front of the server behind a URL, with one connection of its own to each database and user. */
class Pooler {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    private readonly port: number,
  ) {}

  static async start(serverUrl: string, mode: 'session' | 'transaction', size: number): Promise<Pooler> {
    const { hostname, port, username, password } = new URL(serverUrl);
    const folder = mkdtempSync(join(tmpdir(), 'rowhouse-pooler-'));
    const listen = await freePort();
    const server = `host=${hostname} port=${port || 5432} user=${username}${password ? ` password=${password}` : ''}`;
    const settings = [
      `[databases]\n* = ${server}\n[pgbouncer]`,
      `listen_addr = 127.0.0.1\nlisten_port = ${listen}\nunix_socket_dir =`,
      `auth_type = any\npool_mode = ${mode}\ndefault_pool_size = ${size}\nmax_client_conn = 200`,
      'ignore_startup_parameters = extra_float_digits,options',
    ];
    const file = join(folder, 'pgbouncer.ini');
    writeFileSync(file, settings.join('\n'));
    for (const [path, rights] of [
      [folder, 0o755],
      [file, 0o644],
    ] as const)
      chmodSync(path, rights);
    // It does not run as root.
    const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
    const child = spawn('pgbouncer', ['-q', ...user, file], { stdio: 'ignore' });
    const pooler = new Pooler(child, folder, listen);
    while (!(await pooler.#answers())) await sleep(20);
    return pooler;
  }

  through(url: string): string {
    const own = new URL(url);
    own.hostname = '127.0.0.1';
    own.port = String(this.port);
    return own.href;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill();
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  #answers(): Promise<boolean> {
    const socket = connect(this.port, '127.0.0.1');
    return new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    }).finally(() => socket.destroy());
  }
}

class Collected extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

/** One command of operators on a central database and one shard. */
async function runCommand(args: readonly string[], centralUrl: string, shardUrl: string) {
  const folder = mkdtempSync(join(tmpdir(), 'rowhouse-command-'));
  const [stdout, stderr] = [new Collected(), new Collected()];
  const loadConfig = () =>
    readConfig({
      NODE_ENV: 'test',
      DATA_DIR: folder,
      LOG_LEVEL: 'silent',
      SEED_DEMO: 'false',
      CENTRAL_URL: centralUrl,
      SHARDS: `one=${shardUrl}`,
    });
  const code = await runCli(commands, args, { stdin: Readable.from([]), stdout, stderr, loadConfig });
  rmSync(folder, { recursive: true, force: true });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

// Debian: apt-get install pgbouncer.
(isInstalled() ? describe : describe.skip)('behind a pooler (pgbouncer must be installed)', () => {
  eachEngine(
    (engine) => {
      const databases: TestDatabase[] = [];
      const aDatabase = async () => {
        databases.push(await createTestDatabase(engine));
        return databases.at(-1)?.url as string;
      };
      afterAll(async () => {
        for (const database of databases) await database.drop();
      });

      describe.each([1, 5])('in transaction mode with %i connections', (size) => {
        let pooler: Pooler;
        beforeAll(async () => {
          pooler = await Pooler.start(engine.serverUrl, 'transaction', size);
        });
        afterAll(() => pooler.stop());

        it('the application does not start, and says what to do', async () => {
          const [central, shard] = [await aDatabase(), await aDatabase()];
          const message = expect.stringContaining('pool_mode = session');
          const refusal = { code: 'transaction_pooler', message };
          const there = startTestApp({ CENTRAL_URL: pooler.through(central), SHARDS: `one=${shard}` });
          await expect(there).rejects.toMatchObject({ ...refusal, database: 'CENTRAL_URL' });
          const here = startTestApp({ CENTRAL_URL: central, SHARDS: `one=${pooler.through(shard)}` });
          await expect(here).rejects.toMatchObject({ ...refusal, database: 'shard one' });
        });

        it.each([
          ['tenant', 'create', 'acme', '--owner-email', 'o@acme.example', '--strategy', 'schema'],
          ['tenant', 'migrate', '--all'],
          ['tenant', 'purge', 'acme', '--yes'],
          ['tenant', 'suspend', 'acme', '--yes'],
          ['db', 'migrate', '--yes'],
          ['db', 'status'],
          ['audit', 'check', 'acme'],
          ['shard', 'list'],
        ])('a command does nothing, and says the same: %s %s', async (...args) => {
          const [central, shard] = [await aDatabase(), await aDatabase()];
          const refusal = (name: string) => ({
            code: 1,
            stdout: '',
            stderr: `${new TransactionPoolerError(name).message}\n`,
          });
          const [pooledCentral, pooledShard] = [central, shard].map((url) => pooler.through(url));
          expect(await runCommand(args, `${pooledCentral}`, shard)).toEqual(refusal('CENTRAL_URL'));
          expect(await runCommand(args, central, `${pooledShard}`)).toEqual(refusal('shard one'));
          // Where nothing stands in between, it comes to other things.
          expect((await runCommand(args, central, shard)).stderr).not.toContain('pool_mode');
        });

        it('what requests send reaches the right rows, of tenants in turn and at the same time', async () => {
          const url = await aDatabase();
          const direct = new TestTenantDatabases(url, { entities: shopModel });
          const pooled = new TestTenantDatabases(pooler.through(url), { entities: shopModel, pool: { max: 4 } });
          await runInSystemFrame('spec', () => direct.shared('shard-1').schema.create());
          const making = new IsolationStrategies(direct);
          const strategies = new IsolationStrategies(pooled);
          const tenants = await Promise.all(
            (['row', 'row', 'schema', 'schema', 'search-path', 'search-path'] as IsolationStrategyName[]).map(
              async (name, n) => {
                const tenant = aTenant(`${name}-${n}`);
                const strategy = making.get(name, 'shard-1');
                const names = strategy.nameFor(tenant.id);
                const placement: Placement = {
                  tenantId: tenant.id,
                  strategy: name,
                  shardId: 'shard-1',
                  ...names,
                  epoch: 1,
                  state: 'active',
                };
                await strategy.provision(placement);
                return { ...tenant, placement };
              },
            ),
          );
          const round = async (tenant: (typeof tenants)[number], n: number) =>
            runAs({ tenant, actor }, async () => {
              const { entityManager: em, revert } = strategies.apply(tenant.placement);
              currentContext().onEnd(revert);
              if ((await em.fork().count(Tag, { name: `${tenant.slug} ${n}` })) === 0) {
                em.create(Tag, { name: `${tenant.slug} ${n}` });
                await em.flush();
              }
              const names = (await em.fork().find(Tag, {})).map(({ name }) => name);
              expect(names.filter((name) => !name.startsWith(`${tenant.slug} `))).toEqual([]);
              await em.fork().transactional(async (inner) => {
                expect(await inner.count(Tag, { name: `${tenant.slug} ${n}` })).toBe(1);
              });
            });
          // The first to meet a connection that never saw the prepared settings fails, and nobody after it.
          const twice = (tenant: (typeof tenants)[number], n: number) =>
            round(tenant, n).catch((error: Error) => {
              expect(error.message).toMatch(/prepared statement "rowhouse_settings_\w+" does not exist/);
              return round(tenant, n);
            });
          for (let n = 0; n < 3; n++) for (const tenant of tenants) await twice(tenant, n);
          await Promise.all(tenants.flatMap((tenant) => [3, 4, 5, 6].map((n) => twice(tenant, n))));
          for (const tenant of tenants) {
            await runAs({ tenant, actor }, async () => {
              const { entityManager: em, revert } = strategies.apply(tenant.placement);
              expect(await em.count(Tag, {})).toBe(7);
              revert();
            });
          }
          await pooled.shards.close();
          await direct.shards.close();
        });
      });

      it('in session mode the application starts and works', async () => {
        const pooler = await Pooler.start(engine.serverUrl, 'session', 50);
        const [central, shard] = [await aDatabase(), await aDatabase()];
        const test = await startTestApp({
          CENTRAL_URL: pooler.through(central),
          SHARDS: `one=${pooler.through(shard)}`,
        });
        const { owner } = await signUp(test.app, 'acme');
        expect((await owner.call('/v1/products')).status).toBe(200);
        expect((await new ApiClient(test.app).call('/v1/products')).status).toBe(401);
        await test.close();
        await pooler.stop();
      });
    },
    ['postgresql'],
  );
});
