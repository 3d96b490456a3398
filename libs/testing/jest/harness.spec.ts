import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';

/** Runs lines of JavaScript in a process of its own, beside the harness's files. */
function script(...lines: string[]): string[] {
  return ['--input-type=module', '-e', `process.chdir(${JSON.stringify(import.meta.dirname)});\n${lines.join('\n')}`];
}

const importing = (file: string) => `await import(${JSON.stringify(join(import.meta.dirname, file))})`;

function runSetUp(environment: Record<string, string>) {
  const lines = [
    `await (${importing('global-setup.mjs')}).default();`,
    `await (${importing('global-teardown.mjs')}).default();`,
  ];
  return spawnSync(process.execPath, script(...lines), { env: { ...process.env, ...environment }, encoding: 'utf8' });
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  // "once" rejects when an error comes first.
  const answer = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return answer;
}

describe('the test harness', () => {
  it('ends the run when a required engine is out of reach, and says why', () => {
    const { status, stderr } = runSetUp({
      TEST_ENGINES: 'sqlite,mariadb',
      TEST_MARIADB_URL: 'mariadb://root@127.0.0.1:1/mysql',
      REQUIRE_ENGINES: 'sqlite,postgresql,mariadb',
    });
    expect(status).not.toBe(0);
    expect(stderr).toContain('postgresql: left out by TEST_ENGINES');
    expect(stderr).toMatch(/mariadb: TEST_MARIADB_URL: .*ECONNREFUSED/);
    expect(stderr).not.toContain('  sqlite:');
  });

  it('starts when every required engine is there', () => {
    expect(runSetUp({ TEST_ENGINES: 'sqlite', REQUIRE_ENGINES: 'sqlite' })).toMatchObject({ status: 0 });
  });

  it('refuses an engine it does not know', () => {
    expect(runSetUp({ TEST_ENGINES: 'sqlite,oracle' }).stderr).toContain('TEST_ENGINES names oracle');
  });

  it('stops the server it started when the run is killed, and removes its folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rowhouse_test_'));
    const run = spawn(
      process.execPath,
      script(
        `const { startServer } = ${importing('servers.mjs')};`,
        `const { chmodSync } = await import('node:fs');`,
        `chmodSync(${JSON.stringify(folder)}, 0o777);`,
        `const { url } = await startServer('postgresql', ${JSON.stringify(folder)});`,
        'process.stdout.write(url);',
        'setInterval(() => {}, 1000);',
      ),
    );
    const [url] = (await once(run.stdout, 'data')) as [Buffer];
    const port = Number(new URL(url.toString()).port);
    expect(await answers(port)).toBe(true);
    run.kill('SIGKILL');
    while ((await answers(port)) || existsSync(folder)) await delay(50);
  }, 20_000);
});

describe('the matrix after a run', () => {
  const results = [
    { ancestorTitles: ['trail', 'on sqlite'], status: 'passed' },
    { ancestorTitles: ['trail', 'on sqlite'], status: 'failed' },
    { ancestorTitles: ['trail', 'on mysql', 'with the row strategy'], status: 'passed' },
    { ancestorTitles: ['trail'], status: 'passed' },
    { ancestorTitles: ['trail'], status: 'pending' },
  ];
  const engines = {
    sqlite: { url: 'sqlite:x', label: 'SQLite 3' },
    mysql: { url: 'mysql:x', label: 'mysql driver on MariaDB 11' },
    postgresql: { reason: 'not installed' },
  };

  it('counts passed and failed cases by suite, strategy and engine, and names what was not covered', () => {
    const { stderr } = spawnSync(
      process.execPath,
      script(
        `process.env.ROWHOUSE_TEST_RUN = ${JSON.stringify(JSON.stringify({ engines }))};`,
        `const { default: Reporter } = ${importing('engine-matrix.reporter.mjs')};`,
        `const reporter = new Reporter({ rootDir: '/r' });`,
        `reporter.onTestResult({ path: '/r/trail.spec.ts' }, { testResults: ${JSON.stringify(results)} });`,
        'reporter.onRunComplete();',
      ),
      { encoding: 'utf8' },
    );
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => line.trim().replaceAll(/ {2,}/g, ' | '));
    expect(lines).toEqual([
      'suite | sqlite | mysql | postgresql',
      'trail | 1 ok, 1 FAILED | - | -',
      'trail · row | - | 1 ok | -',
      'all | 1 ok, 1 FAILED | 1 ok | 0 ok',
      'sqlite: SQLite 3',
      'mysql: mysql driver on MariaDB 11',
      'postgresql: NOT COVERED (not installed)',
    ]);
  });
});
