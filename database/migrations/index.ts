import type { MigrationObject } from '@mikro-orm/core';
import type { EngineName } from '#libs/persistence';
import { migrationList } from './migration-list.js';
import type { MigrationSet } from './migration-set.js';

export { compareTextByBytes, TABLES_BEFORE } from './compare-text-by-bytes.js';
export type { MigrationSet } from './migration-set.js';

/** The migrations of one set on one engine, oldest first. */
export function migrationsOf(set: MigrationSet, engine: EngineName): MigrationObject[] {
  return [...migrationList[set][engine]];
}
