import type { MigrationSet } from '#database/migrations';
import type { EngineName } from '#libs/persistence';

/** Statements of a migration, both ways. */
export interface MigrationStatements {
  readonly up: readonly string[];
  readonly down: readonly string[];
}

/** One migration on one engine, known by its file. */
export interface MigrationFile {
  readonly set: MigrationSet;
  readonly engine: EngineName;
  /** `migration-20261201090000-suppliers.ts` */
  readonly fileName: string;
}

/** `20261201090000`: when it was made, in UTC, and later than every one of `files`, since migrations run in this order. */
export function newMigrationStamp(files: readonly MigrationFile[], now: Date): string {
  const newest = files
    .map(({ fileName }) => fileName.slice('migration-'.length, 'migration-'.length + 14))
    .sort()
    .at(-1);
  const stamp = toStamp(now);
  return newest === undefined || stamp > newest ? stamp : toStamp(new Date(toTime(newest) + 1000));
}

const toStamp = (at: Date) => at.toISOString().replace(/\D/g, '').slice(0, 14);

const toTime = (stamp: string) =>
  Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3T$4:$5:$6Z'));

/** What is between the stamp and the ending: `suppliers`, `text-by-bytes`. */
export function isMigrationSlug(text: string): boolean {
  return /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(text);
}

/** The class in a migration file, which is also the name in the ledger: `Migration20261201090000Suppliers`. */
export function migrationClassName(fileName: string): string {
  return fileName
    .replace(/\.ts$/, '')
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

/** A migration as source text. */
export function renderMigration(className: string, { up, down }: MigrationStatements): string {
  return [
    "import { Migration } from '@mikro-orm/migrations';",
    '',
    `export class ${className} extends Migration {`,
    '  override up(): void {',
    ...up.map(renderStatement),
    '  }',
    '',
    '  override down(): void {',
    ...down.map(renderStatement),
    '  }',
    '}',
    '',
  ].join('\n');
}

/** As the formatter has it, so that nothing is left to do but to read it. */
function renderStatement(sql: string): string {
  const literal = toLiteral(sql);
  const line = `    this.addSql(${literal});`;
  return line.length <= 120 && !literal.includes('\n') ? line : `    this.addSql(\n      ${literal},\n    );`;
}

function toLiteral(sql: string): string {
  const escaped = sql.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  if (!sql.includes("'")) return `'${escaped}'`;
  if (!sql.includes('"')) return `"${escaped}"`;
  // The formatter takes the quote that needs fewer escapes, and single ones when it is the same.
  const [single, double] = [sql.split("'").length, sql.split('"').length];
  return single > double ? `"${escaped.replaceAll('"', '\\"')}"` : `'${escaped.replaceAll("'", "\\'")}'`;
}
