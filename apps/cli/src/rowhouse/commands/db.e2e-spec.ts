import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Entity, Property } from '@mikro-orm/decorators/legacy';
import { centralModel, readConfig, tenantEntities, tenantModel } from '#apps/api';
import { TenantOwned } from '#libs/persistence';
import { reachableEngines } from '#libs/testing';
import type { CliCommand } from '../cli-command.js';
import { commands } from '../commands.js';
import { runCli } from '../run-cli.js';
import { createDbMakeCommand } from './db-make.command.js';

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
  return callOf(commands, ...args);
}

const callOf = (known: readonly CliCommand[], ...args: string[]) => runCommand(known, 'db', ...args);

async function runCommand(known: readonly CliCommand[], ...args: string[]) {
  const [stdout, stderr] = [new Collected(), new Collected()];
  const loadConfig = () => readConfig({ NODE_ENV: 'test', DATA_DIR: dataDir, LOG_LEVEL: 'silent', SEED_DEMO: 'false' });
  const code = await runCli(known, args, {
    stdin: Readable.from([]),
    stdout,
    stderr,
    loadConfig,
  });
  const rows = args.includes('--json') ? JSON.parse(stdout.text) : undefined;
  return { code, rows, stdout: stdout.text, stderr: stderr.text };
}

describe('rowhouse db', () => {
  it('shows what has not run, runs it once, also for two that start together, and then has nothing to do', async () => {
    const before = await call('status', '--json');
    expect(before.code).toBe(0);
    expect(before.rows.map(({ database, ran }: { database: string; ran: number }) => [database, ran])).toEqual([
      ['central', 0],
      ['shard-1', 0],
      ['shard-2', 0],
    ]);
    expect(before.rows[1].pending).toContain('Migration20261125160000Catalogue');
    expect((await call('migrate', '--dry-run', '--json')).rows).toEqual(before.rows);
    const both = await Promise.all([call('migrate', '--json'), call('migrate', '--json')]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const ran = both.map(({ rows }) => rows.map((row: { ran: number }) => row.ran));
    expect(ran.map((counts) => counts.some((count: number) => count > 0)).toSorted()).toEqual([false, true]);
    const after = (await call('status', '--json')).rows;
    expect(after.every(({ pending }: { pending: string | null }) => pending === null)).toBe(true);
    expect(after[1].ran).toBeGreaterThan(4);
  });

  it('shows the place of a single tenant, and ends with 1 when it cannot be read', async () => {
    await runCommand(commands, 'tenant', 'create', 'acme', '--owner-email', 'o@acme.example', '--strategy', 'database');
    const [, shard, , place] = (await call('status', '--json')).rows;
    expect(place).toEqual({ database: 'tenant acme', ran: shard.ran, pending: null, error: null });
    expect((await call('status', '--behind', '--json')).rows).toEqual([]);
    for (const name of readdirSync(dataDir, { recursive: true }) as string[]) {
      if (/tenants.tenant_.*\.sqlite/.test(name)) rmSync(join(dataDir, name));
    }
    const { code, rows, stderr } = await call('status', '--behind', '--json');
    expect(code).toBe(1);
    expect(rows).toMatchObject([{ database: 'tenant acme', ran: null, error: expect.any(String) }]);
    expect(stderr).toBe('Could not be read: tenant acme.\n');
  });
});

describe('rowhouse db make', () => {
  /** Something that the migrations so far do not make. */
  @Entity({ tableName: 'supplier' })
  class Supplier extends TenantOwned {
    @Property({ type: 'string', length: 200 }) name!: string;
  }
  const withSuppliers = createDbMakeCommand({
    central: centralModel,
    tenant: (engine) => ({ ...tenantModel(engine), entities: [...tenantEntities, Supplier] }),
  });
  const reachable = reachableEngines();
  const servers = reachable.map(({ serverUrl }) => serverUrl).filter((url) => !url.startsWith('sqlite:'));
  const where = ['--engine', ...reachable.map(({ name }) => name), ...servers.flatMap((url) => ['--server', url])];
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rowhouse-migrations-'));
    cpSync('database/migrations', folder, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const list = () => readFileSync(join(folder, 'migration-list.ts'), 'utf8');

  it('writes the missing migration for every engine, lists it, and leaves the other set alone', async () => {
    const { code, rows } = await callOf([withSuppliers], 'make', 'suppliers', '--folder', folder, '--json', ...where);
    expect(code).toBe(0);
    expect(rows.map(({ set, engine }: { set: string; engine: string }) => [set, engine])).toEqual(
      reachable.map(({ name }) => ['tenant', name]),
    );
    for (const { file, engine } of rows as { file: string; engine: string }[]) {
      expect(readFileSync(file, 'utf8')).toMatch(
        /up\(\).*create table .supplier.*down\(\).*drop table if exists .supplier/s,
      );
      expect(list()).toContain(file.slice(folder.length).replace(/ts$/, 'js'));
      expect(readFileSync(file, 'utf8').includes('row level security')).toBe(engine === 'postgresql');
    }
  });

  it('writes nothing with --dry-run, and says what it would', async () => {
    const args = ['make', 'suppliers', '--folder', folder, '--dry-run', '--engine', 'sqlite'];
    const before = list();
    const { code, stdout } = await callOf([withSuppliers], ...args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\/\/ .*\/tenant\/sqlite\/migration-\d{14}-suppliers\.ts\nimport /);
    expect(stdout).toContain('create table `supplier`');
    expect(list()).toBe(before);
    expect(readdirSync(join(folder, 'tenant/sqlite')).filter((name) => name.includes('suppliers'))).toEqual([]);
  });

  it('makes nothing where entities and migrations agree', async () => {
    const { code, rows, stderr } = await call('make', 'nothing', '--folder', folder, '--json', '--engine', 'sqlite');
    expect({ code, rows }).toEqual({ code: 0, rows: [] });
    expect(stderr).toContain('agree');
  });

  it.each([
    ['a name that is none', ['make', '../evil', '--engine', 'sqlite'], 'no name for a file'],
    ['an unknown set', ['make', 'it', '--set', 'all', '--engine', 'sqlite'], '"all" is none of central, tenant'],
    ['an unknown engine', ['make', 'it', '--engine', 'oracle'], '"oracle" is none of'],
    ['an engine without a server', ['make', 'it', '--engine', 'mysql'], '--server mysql://'],
    ['a folder without migrations', ['make', 'it', '--engine', 'sqlite', '--folder', tmpdir()], 'no sources'],
  ])('refuses %s', async (_, args, message) => {
    const { code, stderr } = await call(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
