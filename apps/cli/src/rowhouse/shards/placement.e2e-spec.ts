import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApp, prepareData, readConfig } from '#apps/api';
import { commands } from '../commands.js';
import { runCli } from '../run-cli.js';

class Collected extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

const operator = { email: 'olli@platform.example', password: 'a password of the operator' };

describe('placement on the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rowhouse-placement-'));
  const shards = (...ids: string[]) => ids.map((id) => `${id}=sqlite:${join(folder, `${id}.sqlite`)}`).join(',');
  const configWith = (list: string) =>
    readConfig({
      NODE_ENV: 'test',
      DATA_DIR: folder,
      LOG_LEVEL: 'silent',
      SEED_DEMO: 'false',
      SHARDS: list,
      OPERATOR_EMAIL: operator.email,
      OPERATOR_PASSWORD: operator.password,
    });
  let configured = shards('one', 'two');

  const rowhouse = async (...args: string[]) => {
    const [stdout, stderr] = [new Collected(), new Collected()];
    const loadConfig = () => configWith(configured);
    const code = await runCli(commands, args, { stdin: Readable.from([]), stdout, stderr, loadConfig });
    return { code, stderr: stderr.text, text: stdout.text, json: () => JSON.parse(stdout.text) };
  };

  /** Starts the application as it is configured now, and signs tenants up. @returns the shard of each */
  const signUp = async (...slugs: string[]): Promise<string[]> => {
    const config = configWith(configured);
    const app = await createApp(config);
    try {
      await prepareData(app, config, () => {});
      const post = async (url: string, payload: object, token = '') => {
        const { body } = await app.inject({
          method: 'POST',
          url,
          payload,
          headers: { authorization: `Bearer ${token}` },
        });
        return JSON.parse(body);
      };
      const { accessToken } = await post('/v1/auth/login', operator);
      const placed: string[] = [];
      for (const slug of slugs) {
        const owner = { email: `owner@${slug}.example`, password: `password of ${slug}`, name: 'Olga' };
        const { tenant } = await post('/v1/platform/tenants', { slug, name: slug, owner }, accessToken);
        placed.push(tenant.placement.shard);
      }
      return placed;
    } finally {
      await app.close();
    }
  };

  beforeAll(async () => {
    expect(new Set(await signUp('acme', 'globex', 'initech', 'hooli', 'umbrella', 'stark'))).toEqual(
      new Set(['one', 'two']),
    );
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('lists shards with their slots and tenants', async () => {
    const { code, json } = await rowhouse('shard', 'list', '--json');
    expect(code).toBe(0);
    const [one, two] = json();
    expect(one).toMatchObject({ id: 'one', engine: 'sqlite', state: 'active', weight: 1, slots: 2048, ok: true });
    expect(one.tenants + two.tenants).toBe(6);
  });

  it('takes a shard in that was added to the configuration, and places new tenants there', async () => {
    configured = shards('one', 'two', 'three');
    expect((await rowhouse('shard', 'list', '--json')).json()[2]).toMatchObject({ state: 'not added', slots: 0 });
    const dry = await rowhouse('shard', 'add', 'three', '--weight', '62', '--dry-run');
    expect(dry).toMatchObject({ code: 0, stderr: expect.stringContaining('Would move') });
    expect((await rowhouse('shard', 'list', '--json')).json()[2]).toMatchObject({ state: 'not added', slots: 0 });
    const added = await rowhouse('shard', 'add', 'three', '--weight', '62');
    expect(added.code).toBe(0);
    const [one, two, three] = (await rowhouse('shard', 'list', '--json')).json();
    expect(three).toMatchObject({ state: 'active', weight: 62, tenants: 0 });
    expect(one.slots + two.slots + three.slots).toBe(4096);
    expect(three.slots).toBe(3968);
    const shardsOfNew = await signUp('wayne', 'wonka', 'tyrell', 'cyberdyne');
    expect(shardsOfNew.filter((shard) => shard === 'three').length).toBeGreaterThan(2);
  }, 60_000);

  it('refuses to move a slot that has tenants, and names them', async () => {
    const { slot, shardOfSlot, shardOfTenant } = (await rowhouse('slot', 'show', '--tenant', 'acme', '--json')).json();
    expect(shardOfTenant).toBe(shardOfSlot);
    const [shown] = (await rowhouse('slot', 'show', String(slot), '--json')).json();
    expect(shown).toEqual({ slot, shard: shardOfSlot, tenants: ['acme'] });
    const refused = await rowhouse('slot', 'move', String(slot), shardOfSlot === 'one' ? 'two' : 'one');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(`acme (slot ${slot})`) });
  });

  it('moves empty slots, after a dry run that moves none', async () => {
    const taken = new Set<number>();
    for (const slug of [
      'acme',
      'globex',
      'initech',
      'hooli',
      'umbrella',
      'stark',
      'wayne',
      'wonka',
      'tyrell',
      'cyberdyne',
    ]) {
      taken.add((await rowhouse('slot', 'show', '--tenant', slug, '--json')).json().slot);
    }
    const free = Array.from({ length: 20 }, (_, slot) => slot)
      .filter((slot) => !taken.has(slot))
      .slice(0, 3);
    const ofThem = async () =>
      (await rowhouse('slot', 'show', free.join(), '--json')).json().map((it: { shard: string }) => it.shard);
    const before = await ofThem();
    expect((await rowhouse('slot', 'move', free.join(), 'two', '--dry-run')).code).toBe(0);
    expect(await ofThem()).toEqual(before);
    expect((await rowhouse('slot', 'move', free.join(), 'two')).code).toBe(0);
    expect(await ofThem()).toEqual(['two', 'two', 'two']);
    const ranges = (await rowhouse('slot', 'show', '--json')).json();
    expect(ranges.reduce((sum: number, { slots }: { slots: number }) => sum + slots, 0)).toBe(4096);
  }, 60_000);

  it('drains a shard: new tenants go elsewhere, those there are named and served', async () => {
    expect(await rowhouse('shard', 'drain', 'one')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes'),
    });
    const drained = await rowhouse('shard', 'drain', 'one', '--yes');
    expect(drained).toMatchObject({ code: 0, stderr: expect.stringMatching(/slots have tenants and stay/) });
    const [one] = (await rowhouse('shard', 'list', '--json')).json();
    expect(one).toMatchObject({ state: 'draining', weight: 0 });
    expect(one.slots).toBe(one.tenants);
    expect(await signUp('soylent', 'gringotts', 'aperture')).not.toContain('one');
    expect((await rowhouse('shard', 'rebalance', '--dry-run')).code).toBe(0);
  }, 60_000);

  it.each([
    [['slot', 'show', '4096'], 2, 'no slot'],
    [['slot', 'move', '9-3', 'two'], 2, 'no slot'],
    [['shard', 'add', 'three', '--weight', '0'], 2, 'whole number'],
    [['shard', 'add', 'nowhere'], 1, 'No shard is called "nowhere"'],
    [['slot', 'move', '1', 'one'], 1, 'add it first'],
  ])('refuses %j', async (args, code, message) => {
    expect(await rowhouse(...args)).toMatchObject({ code, stderr: expect.stringContaining(message) });
  });
});
