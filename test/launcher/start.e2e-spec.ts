import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Running, ScratchProject } from './scratch-project.js';

// Every case compiles at least once and starts npm, which is slow on a busy machine.
jest.setTimeout(60_000);

/**
 * Stands for the application: it tells how it was started and answers signals by itself. Ctrl-C arrives twice, once from
 * the terminal and once handed on by npm, so the application must not take the second one as "die now"; nor may it be
 * gone by then, for a signal that meets a process on its way out decides its exit code.
 */
const APPLICATION = `
import { answer } from '#libs/greeting';

interface Facts { readonly answer: string; readonly entry: string | undefined }
const facts: Facts = { answer: answer(), entry: process.argv[1] };
if (process.env.FAIL) throw new Error('on purpose');
const alive = setInterval(() => undefined, 1000);
const close = () => { clearInterval(alive); clearTimeout(patience); console.log('closed'); };
let patience: NodeJS.Timeout | undefined;
const onSignal = () => { if (patience) close(); else patience = setTimeout(close, 500); };
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, onSignal);
console.log('READY ' + JSON.stringify(facts));
`;

describe('npm start', () => {
  let project: ScratchProject;
  const running: Running[] = [];

  const start = (env?: NodeJS.ProcessEnv) => {
    const command = project.start('npm', ['start'], env);
    running.push(command);
    return command;
  };
  /** Starts, waits until the application is up, stops it, and gives what was printed. */
  const startAndStop = async () => {
    const command = start();
    await command.printed('READY');
    command.pressCtrlC();
    return command.ended;
  };

  beforeEach(() => {
    project = new ScratchProject();
    project.write('package-lock.json', JSON.stringify({ lockfileVersion: 3, packages: {} }));
    symlinkSync(join(process.cwd(), 'node_modules'), join(project.root, 'node_modules'));
    project.write('apps/api/src/main.ts', APPLICATION);
    project.write('libs/greeting/src/index.ts', `export const answer = (): string => 'first';\n`);
  });

  afterEach(async () => {
    for (const { process: child, ended } of running.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) process.kill(-Number(child.pid), 'SIGKILL');
      await ended;
    }
    project.remove();
  });

  it('builds, becomes the application in one process, and ends with its exit code on Ctrl-C', async () => {
    const { code, stdout, stderr } = await startAndStop();
    expect(stderr).toMatch(/Building: done after/);
    expect(stdout).toContain('"answer":"first"');
    expect(stdout).toMatch(/"entry":"[^"]*launcher[\\/]+start\.mjs"/);
    expect(stdout).toContain('closed');
    expect(code).toBe(0);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'hands %s on when only npm gets it, as from a process manager',
    async (signal) => {
      const command = start();
      await command.printed('READY');
      command.process.kill(signal);
      const { code, stdout } = await command.ended;
      expect(stdout).toContain('closed');
      expect(code).toBe(0);
    },
  );

  it('builds again exactly when a source was changed, added or removed', async () => {
    await startAndStop();
    expect((await startAndStop()).stderr).not.toContain('Building');

    project.write('libs/greeting/src/index.spec.ts', 'a test is no source');
    project.write('libs/greeting/README.md', 'neither is a page');
    expect((await startAndStop()).stderr).not.toContain('Building');

    project.write('libs/greeting/src/index.ts', `export const answer = (): string => 'second';\n`);
    const changed = await startAndStop();
    expect(changed.stderr).toContain('Building');
    expect(changed.stdout).toContain('"answer":"second"');

    project.write('libs/greeting/src/extra.ts', 'export const extra = 1;\n');
    expect((await startAndStop()).stderr).toContain('Building');
    project.write('database/seeders/rows.ndjson', '{}');
    expect((await startAndStop()).stderr).toContain('Building');
    rmSync(join(project.root, 'libs/greeting/src/extra.ts'));
    expect((await startAndStop()).stderr).toContain('Building');
  });

  it('does not trust a build that was cut short', async () => {
    await startAndStop();
    // What a killed compiler leaves: the folder was emptied, some files are back, the stamp is not.
    rmSync(join(project.root, 'dist/.build-stamp'));
    project.write('dist/apps/api/src/main.js', 'console.log("READY half a build");');
    const { stdout } = await startAndStop();
    expect(stdout).toContain('"answer":"first"');
    expect(stdout).not.toContain('half a build');
  });

  it('builds once when two start at the same time, and after a builder that died with the lock', async () => {
    // No process can have this number: it is above what any kernel hands out.
    project.write('.build-lock', '99999999');
    const [first, second] = [start(), start()];
    await Promise.all([first.printed('READY'), second.printed('READY')]);
    for (const command of [first, second]) command.pressCtrlC();
    const printed = await Promise.all([first.ended, second.ended]);
    expect(printed.map(({ code }) => code)).toEqual([0, 0]);
    expect(printed.filter(({ stderr }) => stderr.includes('Building: done'))).toHaveLength(1);
  });

  it('shows what the compiler says and does not start the old build when a source is broken', async () => {
    await startAndStop();
    project.write('apps/api/src/main.ts', 'const half = ;\n');
    const { code, stdout, stderr } = await start().ended;
    expect(code).not.toBe(0);
    expect(stdout).not.toContain('READY');
    expect(stderr).toContain('const half = ;');
    expect(stderr).toMatch(/^The build failed: .+$/m);
  });

  it('names the TypeScript line in a stack trace', async () => {
    const { code, stderr } = await start({ FAIL: '1' }).ended;
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/main\.ts:6/);
  });
});
