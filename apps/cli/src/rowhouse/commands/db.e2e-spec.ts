import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readConfig } from '#apps/api';
import { commands } from '../commands.js';
import { runCli } from '../run-cli.js';

class Collected extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

const dataDir = mkdtempSync(join(tmpdir(), 'rowhouse-db-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

async function call(...args: string[]) {
  const [stdout, stderr] = [new Collected(), new Collected()];
  const loadConfig = () => readConfig({ NODE_ENV: 'test', DATA_DIR: dataDir, LOG_LEVEL: 'silent', SEED_DEMO: 'false' });
  const code = await runCli(commands, ['db', ...args, '--json'], {
    stdin: Readable.from([]),
    stdout,
    stderr,
    loadConfig,
  });
  return { code, rows: stdout.text ? JSON.parse(stdout.text) : undefined, stderr: stderr.text };
}

describe('rowhouse db', () => {
  it('shows what has not run, runs it once, also for two that start together, and then has nothing to do', async () => {
    const before = await call('status');
    expect(before.code).toBe(0);
    expect(before.rows.map(({ database, ran }: { database: string; ran: number }) => [database, ran])).toEqual([
      ['central', 0],
      ['shard-1', 0],
      ['shard-2', 0],
    ]);
    expect(before.rows[1].pending).toContain('Migration20261125160000Catalogue');
    expect((await call('migrate', '--dry-run')).rows).toEqual(before.rows);
    const both = await Promise.all([call('migrate'), call('migrate')]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const ran = both.map(({ rows }) => rows.map((row: { ran: number }) => row.ran));
    expect(ran.map((counts) => counts.some((count: number) => count > 0)).toSorted()).toEqual([false, true]);
    const after = (await call('status')).rows;
    expect(after.every(({ pending }: { pending: string | null }) => pending === null)).toBe(true);
    expect(after[1].ran).toBeGreaterThan(4);
  });
});
