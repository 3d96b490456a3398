import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { verifyExport } from '#libs/audit';
import { linesOf } from './sealed-world.js';

const read = (name: string) => readFileSync(new URL(`./frozen-export/${name}`, import.meta.url), 'utf8');
const trail = read('trail.ndjson');
const [keys, against] = [JSON.parse(read('keys.json')), JSON.parse(read('checkpoint.json'))];
const verify = (text: string) => verifyExport(linesOf(text), { keys, against });
/** Position of the entry that somebody has tried to change. */
const AT = 5;

/**
 * An export of format 1 from another machine, with what was kept beside it: entries of every kind, an erased person, a
 * purge, two keys and three periods. Never make it anew: who has kept an export for ten years does not do so either.
 */
describe('an export that was made long ago', () => {
  it('verifies without a database, by keys and a checkpoint that were kept', async () => {
    expect(await verify(trail)).toMatchObject({
      ok: true,
      tenantId: against.tenantId,
      entries: 15,
      purged: 3,
      omitted: 0,
      trusted: true,
    });
  });

  it('says what was recorded then, but for what was erased', () => {
    const lines = trail.split('\n').filter((line) => line !== '');
    const entries = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === 'entry');
    expect(entries.map(({ position, entry }) => [position, entry.action])).toEqual([
      [4, 'audit_purged'],
      ...[5, 6, 7, 8, 9].map((position) => [position, 'create']),
      [10, 'update'],
      [11, 'personal_values_erased'],
      [12, 'tenant_mismatch'],
      [13, 'delete'],
      [14, 'update'],
      [15, 'audit_exported'],
    ]);
    const [, grace, ada] = entries;
    expect(grace.readable.changes).toMatchObject({ name: { erased: true }, tier: { new: 'basic' } });
    expect(ada.readable.changes).toMatchObject({ name: { new: 'Ada' } });
    expect(trail).not.toContain('Grace');
  });

  it('names the position of a line that is changed, left out or moved', async () => {
    const lines = trail.split('\n');
    const at = lines.findIndex((line) => line.startsWith(`{"kind":"entry","position":${AT},`));
    const line = lines[at] as string;
    expect(await verify(lines.with(at, line.replace('"create"', '"update"')).join('\n'))).toMatchObject({
      ok: false,
      fault: { kind: 'changed', position: AT },
    });
    expect(await verify(lines.toSpliced(at, 1).join('\n'))).toMatchObject({
      ok: false,
      fault: { kind: 'missing', position: AT },
    });
    const moved = lines.toSpliced(at, 1).toSpliced(at + 1, 0, line);
    expect(await verify(moved.join('\n'))).toMatchObject({ ok: false, fault: { position: AT } });
  });

  it('does not pass with the keys of somebody else', async () => {
    const others = keys.map((key: { publicKey: string }, index: number) => ({
      ...key,
      publicKey: keys.at(index - 1).publicKey,
    }));
    expect(await verifyExport(linesOf(trail), { keys: others })).toMatchObject({
      ok: false,
      fault: { kind: 'unsigned' },
    });
  });
});
