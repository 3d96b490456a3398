import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type NamedMigration, toSources, writeMigrations } from './write-migrations.js';

const ENGINES = ['mariadb', 'mysql', 'postgresql', 'sqlite'] as const;
const NOON = new Date('2026-12-01T12:00:00.999Z');

const suppliers: NamedMigration[] = ENGINES.map((engine) => ({
  ...{ set: 'tenant', engine },
  up: ['create table supplier (id text)', "insert into supplier values ('it''s')", 'select "a\\b", \'c\''],
  down: [`drop table supplier /* ${'x'.repeat(80)} */`],
}));

describe('writing migrations', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rowhouse-migrations-'));
    for (const set of ['central', 'tenant']) {
      for (const engine of ENGINES) mkdirSync(join(folder, set, engine), { recursive: true });
    }
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('writes a file for each engine, of one name, and lists them', () => {
    writeMigrations(folder, toSources(folder, 'suppliers', suppliers, NOON));
    const list = readFileSync(join(folder, 'migration-list.ts'), 'utf8');
    for (const engine of ENGINES) {
      const source = readFileSync(join(folder, 'tenant', engine, 'migration-20261201120000-suppliers.ts'), 'utf8');
      expect(source).toContain('export class Migration20261201120000Suppliers extends Migration {');
      expect(list).toContain(`from './tenant/${engine}/migration-20261201120000-suppliers.js'`);
    }
    expect(list).toContain('    sqlite: migrationObjects(Tenant20261201120000SuppliersOnSqlite),');
    expect(list).toContain('    sqlite: migrationObjects(),');
  });

  it('writes statements so that TypeScript reads them as they were', () => {
    const [{ source } = { source: '' }] = toSources(folder, 'suppliers', suppliers.slice(-1), NOON);
    const literals = [...source.matchAll(/addSql\(\s*(.*?),?\s*\);/gs)].map(([, literal]) => literal);
    // biome-ignore lint/security/noGlobalEval: literals of this very spec
    const read = literals.map((literal) => eval(String(literal)));
    expect(read).toEqual([...(suppliers[0]?.up ?? []), ...(suppliers[0]?.down ?? [])]);
    expect(source).toContain("    this.addSql('create table supplier (id text)');\n");
    expect(source).toContain('    this.addSql(\n');
  });

  it('comes after every migration there is, also after one of tomorrow', () => {
    writeFileSync(join(folder, 'central/mysql/migration-20261231235959-tomorrow.ts'), '');
    const [first] = toSources(folder, 'suppliers', suppliers, NOON);
    expect(first?.fileName).toBe('migration-20270101000000-suppliers.ts');
  });

  it('writes over nothing', () => {
    const sources = toSources(folder, 'suppliers', suppliers, NOON);
    writeMigrations(folder, sources);
    expect(() => writeMigrations(folder, sources)).toThrow('EEXIST');
  });
});
