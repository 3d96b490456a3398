import { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiClient } from '../../../../../test/support/api-client.js';
import { startTestApp, type TestApp } from '../../../../../test/support/test-app.js';
import { commands } from '../commands.js';
import { runCli } from '../run-cli.js';

class Collected extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

describe('rowhouse tenant', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await startTestApp({ CACHE_CHECK_MS: '0' });
  });
  afterAll(() => test.close());

  const call = async (...args: string[]) => {
    const [stdout, stderr] = [new Collected(), new Collected()];
    const streams = { stdin: Readable.from([]), stdout, stderr };
    const code = await runCli(commands, ['tenant', ...args], { ...streams, loadConfig: () => test.config });
    return { code, stdout: stdout.text, stderr: stderr.text };
  };
  const list = async () => JSON.parse((await call('list', '--json')).stdout) as { slug: string }[];

  it('creates a tenant with a database of its own, suspends, archives and purges it', async () => {
    const create = ['create', 'acme', '--owner-email', 'o@acme.example', '--strategy', 'database'];
    expect(await call(...create, '--dry-run')).toMatchObject({ code: 0, stdout: '' });
    const made = JSON.parse((await call(...create, '--json')).stdout);
    expect(made).toMatchObject({
      slug: 'acme',
      status: 'active',
      strategy: 'database',
      place: expect.stringMatching(/^tenant_/),
    });
    const body = { email: 'o@acme.example', password: made.password };
    expect((await new ApiClient(test.app).call('/v1/auth/login', { body })).status).toBe(200);
    expect(await list()).toMatchObject([{ slug: 'acme', strategy: 'database' }]);
    expect(JSON.parse((await call('migrate', 'acme', '--json')).stdout)).toEqual([
      { place: 'tenant acme', ran: 0, error: null },
    ]);
    const move = ['move', 'acme', '--strategy', 'row', '--settle', '0'];
    expect(await call(...move, '--dry-run')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('Would move acme from database'),
    });
    expect((await call(...move)).code).toBe(2);
    expect(JSON.parse((await call(...move, '--yes', '--json')).stdout)).toMatchObject({
      slug: 'acme',
      from: `database ${made.place} on ${made.shard}`,
      to: `row on ${made.shard}`,
      left: 'nothing',
    });
    expect(await list()).toMatchObject([{ slug: 'acme', strategy: 'row', place: null }]);
    expect(await call(...move, '--yes')).toMatchObject({ code: 1, stdout: '' });
    expect(await call('move', 'acme', '--cancel', '--yes')).toMatchObject({ code: 1, stdout: '' });
    for (const [verb, status] of [
      ['suspend', 'suspended'],
      ['activate', 'active'],
    ] as const) {
      expect(JSON.parse((await call(verb, 'acme', '--yes', '--json')).stdout)).toMatchObject({ status });
    }
    expect(await call('purge', 'acme', '--yes')).toMatchObject({ code: 1, stdout: '' });
    expect((await call('archive', 'acme')).code).toBe(2);
    expect((await call('archive', 'acme', '--yes')).code).toBe(0);
    expect((await call('purge', 'acme', '--yes')).code).toBe(0);
    expect(await list()).toEqual([]);
  });

  it.each([
    [['create', 'x', '--owner-email', 'nobody'], 2],
    [['create', 'globex', '--owner-email', 'o@globex.example', '--strategy', 'schema'], 1],
    [['migrate'], 2],
    [['suspend', 'nobody', '--yes'], 1],
    [['move', 'nobody', '--strategy', 'row', '--yes'], 1],
    [['move', 'nobody', '--strategy', 'rows', '--yes'], 2],
    [['move', 'nobody', '--settle', 'soon', '--yes'], 2],
  ])('ends with the right code for %j', async (args, code) => {
    const result = await call(...args);
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).not.toBe('');
  });
});
