import { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { signUp } from '../../../../../test/support/api-client.js';
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

describe('rowhouse domain', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await startTestApp();
    await signUp(test.app, 'acme');
  });
  afterAll(() => test.close());

  const call = async (...args: string[]) => {
    const [stdout, stderr] = [new Collected(), new Collected()];
    const code = await runCli(commands, ['domain', ...args], {
      stdin: Readable.from([]),
      stdout,
      stderr,
      loadConfig: () => test.config,
    });
    return { code, stdout: stdout.text, stderr: stderr.text };
  };

  it('adds a domain, says what to publish, lists it as not verified, and removes it', async () => {
    expect((await call('add', 'acme', 'Shop.Acme.test', '--dry-run')).stdout).toBe('');
    const added = await call('add', 'acme', 'Shop.Acme.test', '--json');
    expect(JSON.parse(added.stdout)).toEqual({
      domain: 'shop.acme.test',
      verifiedAt: null,
      record: '_rowhouse.shop.acme.test',
      type: 'TXT',
      value: expect.stringMatching(/^[0-9a-f]{48}$/),
    });
    expect(added.stderr).toContain('domain verify acme shop.acme.test');
    expect(JSON.parse((await call('list', 'acme', '--json')).stdout)).toMatchObject([
      { domain: 'shop.acme.test', verifiedAt: null },
    ]);
    expect((await call('remove', 'acme', 'shop.acme.test')).code).toBe(2);
    const removed = await call('remove', 'acme', 'shop.acme.test', '--yes', '--json');
    expect(JSON.parse(removed.stdout)).toEqual({ domain: 'shop.acme.test', removed: true });
  });

  it('takes a domain in any spelling, however it was added', async () => {
    await call('add', 'acme', 'spelled.acme.test');
    const { code, stderr } = await call('verify', 'acme', 'SPELLED.Acme.test.');
    // Its DNS says nothing; that it is none of the tenant's would be another message.
    expect([code, stderr]).toEqual([1, expect.stringContaining('_rowhouse.spelled.acme.test')]);
    const removed = await call('remove', 'acme', 'Spelled.Acme.Test.', '--yes', '--json');
    expect(JSON.parse(removed.stdout)).toMatchObject({ removed: true });
    expect(JSON.parse((await call('list', 'acme', '--json')).stdout)).toEqual([]);
  });

  it.each([
    ['add', 'nobody', 'shop.acme.test'],
    ['add', 'acme', 'not a domain'],
    ['verify', 'acme', 'never-added.test'],
  ])('ends with 1 and says why for %s %s %s', async (...args) => {
    const { code, stdout, stderr } = await call(...args);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.trim()).not.toBe('');
  });
});
