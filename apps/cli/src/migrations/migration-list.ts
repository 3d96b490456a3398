import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { MigrationSet } from '#database/migrations';
import type { EngineName } from '#libs/persistence';
import { type MigrationFile, migrationClassName } from './migration-file.js';

const SETS: readonly MigrationSet[] = ['central', 'tenant'];
/** In the order of the files, which is the order that the formatter wants imports in. */
const ENGINES: readonly EngineName[] = ['mariadb', 'mysql', 'postgresql', 'sqlite'];

/** Every migration in the folder `database/migrations`, oldest first within its set and engine. */
export function findMigrationFiles(folder: string): MigrationFile[] {
  return SETS.flatMap((set) =>
    ENGINES.flatMap((engine) =>
      readdirSync(join(folder, set, engine))
        .filter((name) => /^migration-\d{14}-.*\.ts$/.test(name))
        .sort()
        .map((fileName) => ({ set, engine, fileName })),
    ),
  );
}

/**
 * The source of `database/migrations/migration-list.ts`: an import and an entry for each of `files`. Listed rather than
 * found by file name when the application runs, so that a build, a bundle and a test all run the same ones.
 */
export function renderMigrationList(files: readonly MigrationFile[]): string {
  const entries = (set: MigrationSet, engine: EngineName) =>
    files.filter((file) => file.set === set && file.engine === engine).map(aliasOf);
  return [
    '// Written by "npm run rowhouse -- db make", from the files beside it.',
    "import type { MigrationObject } from '@mikro-orm/core';",
    "import type { EngineName } from '#libs/persistence';",
    // Sorted by path, as the formatter wants them.
    ...files.filter(({ set }) => set === 'central').map(renderImport),
    "import { type MigrationSet, migrationObjects } from './migration-set.js';",
    ...files.filter(({ set }) => set === 'tenant').map(renderImport),
    '',
    '/** Every migration there is. Oldest first. */',
    'export const migrationList: Readonly<Record<MigrationSet, Readonly<Record<EngineName, readonly MigrationObject[]>>>> = {',
    ...SETS.flatMap((set) => [
      `  ${set}: {`,
      ...ENGINES.map((engine) => renderEntries(engine, entries(set, engine))),
      '  },',
    ]),
    '};',
    '',
  ].join('\n');
}

function renderImport(file: MigrationFile): string {
  const path = `./${file.set}/${file.engine}/${file.fileName.replace(/\.ts$/, '.js')}`;
  return `import { ${migrationClassName(file.fileName)} as ${aliasOf(file)} } from '${path}';`;
}

function renderEntries(engine: EngineName, names: readonly string[]): string {
  const line = `    ${engine}: migrationObjects(${names.join(', ')}),`;
  if (line.length <= 120) return line;
  return [`    ${engine}: migrationObjects(`, ...names.map((name) => `      ${name},`), '    ),'].join('\n');
}

/** `TenantSuppliersOnSqlite`; two of one name are told apart by their time. */
function aliasOf({ set, engine, fileName }: MigrationFile): string {
  const [subject, on] = [migrationClassName(fileName).replace(/^Migration/, ''), capital(engine)];
  return `${capital(set)}${subject}On${on}`;
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
