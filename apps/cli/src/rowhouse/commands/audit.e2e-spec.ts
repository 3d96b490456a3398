import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type SignedUpTenant, signUp } from '../../../../../test/support/api-client.js';
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

describe('rowhouse audit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rowhouse-trail-'));
  let test: TestApp;
  let acme: SignedUpTenant;
  beforeAll(async () => {
    test = await startTestApp();
    acme = await signUp(test.app, 'acme');
  });
  afterAll(async () => {
    await test.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function call(args: readonly string[], config = () => test.config) {
    const [stdout, stderr] = [new Collected(), new Collected()];
    const streams = { stdin: Readable.from([]), stdout, stderr };
    const code = await runCli(commands, ['audit', ...args], { ...streams, loadConfig: config });
    return { code, stdout: stdout.text, stderr: stderr.text };
  }

  /** As on a machine that has neither the database nor its configuration. */
  const elsewhere = (...args: string[]) =>
    call(args, () => {
      throw new Error('There is no configuration here.');
    });

  function toFile(name: string, text: string): string {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  }

  it('verifies an export elsewhere, with keys and a checkpoint that were kept', async () => {
    const keys = toFile('keys.json', (await call(['keys', '--json'])).stdout);
    const checkpoint = toFile('checkpoints.json', (await acme.owner.call('/v1/audit/checkpoints')).text);
    const exported = await call(['export', 'acme']);
    expect(exported.code).toBe(0);
    const file = toFile('trail.ndjson', exported.stdout);
    const { code, stdout } = await elsewhere('verify', file, '--keys', keys, '--checkpoint', checkpoint, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, tenantId: acme.id, trusted: true, omitted: 0 });
    const alone = await elsewhere('verify', file);
    expect(alone.code).toBe(0);
    expect(alone.stderr).toContain('--keys');
  });

  it('verifies what another installation has exported in another year', async () => {
    const frozen = (name: string) =>
      fileURLToPath(new URL(`../../../../../test/conformance/audit/frozen-export/${name}`, import.meta.url));
    const trust = ['--keys', frozen('keys.json'), '--checkpoint', frozen('checkpoint.json')];
    const { code, stdout, stderr } = await elsewhere('verify', frozen('trail.ndjson'), ...trust, '--json');
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, entries: 15, purged: 3, trusted: true });
  });

  it('ends with 1 and names the position when a line was changed, is missing, or is of another trail', async () => {
    const lines = (await call(['export', 'acme'])).stdout.split('\n');
    const at = lines.findIndex((line) => line.includes('"position":1,'));
    const changed = lines.with(at, (lines[at] as string).replace('"actorType":"user"', '"actorType":"job"'));
    expect(await elsewhere('verify', toFile('changed.ndjson', changed.join('\n')))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('changed at position 1'),
    });
    const short = toFile('short.ndjson', lines.toSpliced(at, 1).join('\n'));
    expect((await elsewhere('verify', short)).stderr).toContain('missing at position 1');
    const others = toFile('others.json', JSON.stringify({ keys: [] }));
    const file = toFile('trail.ndjson', lines.join('\n'));
    expect(await elsewhere('verify', file, '--keys', others)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('key is unknown'),
    });
  });

  it('checks a trail in its database, on record', async () => {
    const { code, stdout } = await call(['check', 'acme', '--json']);
    expect([code, JSON.parse(stdout).ok]).toEqual([0, true]);
    const { data } = (await acme.owner.call('/v1/audit?action=audit_verified')).body;
    expect(data).toMatchObject([{ changes: { ok: { new: true } }, actor: { type: 'system' } }]);
  });

  it('rotates and revokes keys; the server goes on with the new one', async () => {
    const ids = async () =>
      JSON.parse((await call(['keys', '--json'])).stdout).map(({ id }: { id: string }) => id) as string[];
    const [first = ''] = await ids();
    expect((await call(['rotate-key'])).code).toBe(2);
    expect((await call(['rotate-key', '--dry-run'])).code).toBe(0);
    expect(await ids()).toEqual([first]);
    expect((await call(['rotate-key', '--yes'])).code).toBe(0);
    expect(await ids()).toHaveLength(2);
    expect((await call(['check', 'acme'])).code).toBe(0);
    expect((await call(['revoke-key', first, '--yes'])).code).toBe(0);
    expect((await call(['check', 'acme'])).code).toBe(0);
    expect((await call(['revoke-key', 'nobody', '--yes'])).code).toBe(1);
  });

  it('purges only what is old, and erases persons', async () => {
    const recent = ['purge', 'acme', '--before', new Date().toISOString(), '--reason', 'x'];
    expect(await call([...recent, '--yes'])).toMatchObject({ code: 1, stderr: expect.stringContaining('90 days') });
    const old = ['purge', 'acme', '--before', '2020-01-01T00:00:00Z', '--reason', 'the rule', '--json'];
    expect(JSON.parse((await call([...old, '--yes'])).stdout)).toEqual({ purged: 0, held: 0 });
    const { user } = (await acme.owner.call('/v1/auth/me')).body;
    expect(await call(['erase', 'acme', user.id])).toMatchObject({ code: 2 });
    const erased = await call(['erase', 'acme', user.id, '--yes', '--json']);
    expect(JSON.parse(erased.stdout).keys).toBeGreaterThan(0);
    expect(await call(['erase-again'])).toMatchObject({ code: 0, stdout: '' });
  });
});
