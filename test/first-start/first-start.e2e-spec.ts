import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { forkSource } from '../support/fork-source.js';

const ROUNDS = 200;

describe('processes that start for the first time, all at once', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rowhouse-first-start-'));
    for (let round = 0; round < ROUNDS; round++) mkdirSync(join(folder, String(round)));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('make one signing key and one ring of audit keys, and each has the whole of them', async () => {
    const environment = { KEYS: JSON.stringify({ folder, rounds: ROUNDS }) };
    const children = [1, 2].map(() => forkSource(new URL('./key-making-child.ts', import.meta.url), environment));
    await Promise.all(children.map((child) => once(child, 'message')));
    const answers = children.map((child) => once(child, 'message'));
    const exits = children.map((child) => once(child, 'exit'));
    const begin = Date.now() + 50;
    for (const child of children) child.send(begin);
    const [[one], [other]] = (await Promise.all(answers)) as [[string[][]], [string[][]]];
    await Promise.all(exits);
    const isWhole = ([ring = '', secret = '']: string[]) => /^[0-9a-f]{16}$/.test(ring) && /^[\w-]{64}$/.test(secret);
    expect([...one, ...other].filter((made) => !isWhole(made))).toEqual([]);
    expect(one).toHaveLength(ROUNDS);
    expect(other).toEqual(one);
    expect(readdirSync(join(folder, '0')).sort()).toEqual(['audit-keys.json', 'jwt-secret']);
  });
});
