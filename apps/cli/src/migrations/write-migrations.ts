import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type MigrationFile,
  type MigrationStatements,
  migrationClassName,
  newMigrationStamp,
  renderMigration,
} from './migration-file.js';
import { findMigrationFiles, renderMigrationList } from './migration-list.js';

/** A migration, and which one it is. */
export type NamedMigration = MigrationStatements & Pick<MigrationFile, 'set' | 'engine'>;

/** A file that is not there yet. */
export interface MigrationSource extends MigrationFile {
  readonly path: string;
  readonly source: string;
}

/** The files of new migrations about one thing: of one name, which is later than every other in `folder`. */
export function toSources(
  folder: string,
  slug: string,
  migrations: readonly NamedMigration[],
  now = new Date(),
): MigrationSource[] {
  const fileName = `migration-${newMigrationStamp(findMigrationFiles(folder), now)}-${slug}.ts`;
  return migrations.map(({ set, engine, up, down }) => ({
    ...{ set, engine, fileName },
    path: join(folder, set, engine, fileName),
    source: renderMigration(migrationClassName(fileName), { up, down }),
  }));
}

/** Writes new files, never over one that is there, and lists them. */
export function writeMigrations(folder: string, sources: readonly MigrationSource[]): void {
  for (const { path, source } of sources) writeFileSync(path, source, { flag: 'wx' });
  writeFileSync(join(folder, 'migration-list.ts'), renderMigrationList(findMigrationFiles(folder)));
}
