import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readConfig } from '#apps/api';
import { currentContext } from '#libs/context';
import { TenantStore } from '#libs/tenancy';
import type { CliCommand } from './cli-command.js';
import { commands } from './commands.js';
import { runCli } from './run-cli.js';
import { UsageError } from './usage.error.js';

class Collected extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

const dataDir = mkdtempSync(join(tmpdir(), 'rowhouse-cli-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

async function call(list: readonly CliCommand[], ...args: string[]) {
  const stdout = new Collected();
  const stderr = new Collected();
  const loadConfig = () =>
    readConfig({ NODE_ENV: 'test', DATA_DIR: dataDir, CENTRAL_URL: 'postgresql://me:hidden-word@127.0.0.1/central' });
  const code = await runCli(list, args, { stdin: Readable.from([]), stdout, stderr, loadConfig });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

function aCommand(run: CliCommand['run'], more: Partial<CliCommand> = {}): CliCommand {
  return { noun: 'thing', verb: 'make', summary: 'make a thing', run, ...more };
}

describe('rowhouse', () => {
  it('prints the result on standard output, as text or as JSON', async () => {
    const show = [
      aCommand(async ({ terminal }) =>
        terminal.table([
          { id: 'a', count: 1 },
          { id: 'bcd', count: 22 },
        ]),
      ),
    ];
    expect(await call(show, 'thing', 'make')).toEqual({
      code: 0,
      stdout: 'id   count\na    1\nbcd  22\n',
      stderr: '',
    });
    const { stdout } = await call(show, 'thing', 'make', '--json');
    expect(JSON.parse(stdout)).toEqual([
      { id: 'a', count: 1 },
      { id: 'bcd', count: 22 },
    ]);
  });

  it('lists its commands, and leaves standard error alone', async () => {
    const { code, stdout, stderr } = await call(commands, '--help');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('config');
  });

  it.each([
    [['thing', 'mkae'], 'make'],
    [['nothing'], 'unknown command'],
    [['thing', 'make', '--jsno'], '--json'],
    [['thing', 'make', 'surplus'], 'too many arguments'],
    [[], 'Usage'],
  ])('ends with 2 and a hint for %j', async (args, hint) => {
    const { code, stdout, stderr } = await call([aCommand(async () => {})], ...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(hint);
  });

  it('ends with 1 and the message alone for an error that has a code', async () => {
    const fail = aCommand(async ({ config }) => {
      throw Object.assign(new Error(`No database at ${config().host}.`), { code: 'no_database' });
    });
    expect(await call([fail], 'thing', 'make')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'No database at 127.0.0.1.\n',
    });
  });

  it('ends with 1 and the stack for an error nobody foresaw', async () => {
    const { code, stderr } = await call(
      [
        aCommand(async () => {
          throw new TypeError('oops');
        }),
      ],
      'thing',
      'make',
    );
    expect(code).toBe(1);
    expect(stderr).toContain('run-cli.spec');
  });

  it('takes --dry-run only for what changes something', async () => {
    const seen: boolean[] = [];
    const run: CliCommand['run'] = async ({ dryRun }) => void seen.push(dryRun);
    expect((await call([aCommand(run)], 'thing', 'make', '--dry-run')).code).toBe(2);
    expect((await call([aCommand(run, { changes: true })], 'thing', 'make', '--dry-run')).code).toBe(0);
    expect(seen).toEqual([true]);
  });

  it('does nothing that cannot be undone while nobody can answer, unless --yes', async () => {
    const answers: boolean[] = [];
    const ask = aCommand(async ({ terminal }) => void answers.push(await terminal.confirm('Really?')), {
      changes: true,
    });
    const { code, stderr } = await call([ask], 'thing', 'make');
    expect([code, answers]).toEqual([2, []]);
    expect(stderr).toContain('--yes');
    expect((await call([ask], 'thing', 'make', '--yes')).code).toBe(0);
    expect(answers).toEqual([true]);
  });

  it('works as itself, for no tenant', async () => {
    const contexts: unknown[] = [];
    const look = aCommand(async () => void contexts.push(currentContext().actor, currentContext().tenant));
    await call([look], 'thing', 'make');
    expect(contexts).toEqual([{ id: 'rowhouse thing make', type: 'system' }, undefined]);
  });

  it('hands arguments and options on as declared', async () => {
    const seen: unknown[] = [];
    const take = aCommand(async ({ args, options }) => void seen.push(args, options.shardId), {
      configure: (command) => command.argument('<slug>').argument('[name]').option('--shard-id <id>'),
    });
    await call([take], 'thing', 'make', 'acme', '--shard-id', 'shard-2');
    expect(seen).toEqual([['acme', undefined], 'shard-2']);
  });

  it('opens the application on demand and closes it', async () => {
    const open = aCommand(async ({ app, terminal }) =>
      terminal.object({ store: (await app()).get(TenantStore) !== undefined }),
    );
    expect(await call([open], 'thing', 'make')).toEqual({ code: 0, stdout: 'store  true\n', stderr: '' });
  });

  it('ends with 2 for a call that makes no sense', async () => {
    const refuse = aCommand(async () => {
      throw new UsageError('Give one of --all and a slug.');
    });
    expect((await call([refuse], 'thing', 'make')).code).toBe(2);
  });
});

describe('rowhouse config show', () => {
  it('shows what is in force without any secret', async () => {
    const { code, stdout } = await call(commands, 'config', 'show', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      central: 'postgresql://me:***@127.0.0.1/central',
      listensOn: '127.0.0.1:3000',
    });
    expect(stdout).not.toContain('hidden-word');
  });
});
