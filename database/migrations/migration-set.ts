import type { MigrationObject } from '@mikro-orm/core';

/** The central database has one set of migrations, databases that hold tenants' rows the other. */
export type MigrationSet = 'central' | 'tenant';

/** A migration is known by the name of its class. */
export function migrationObjects(...migrations: MigrationObject['class'][]): readonly MigrationObject[] {
  return migrations.map((migration) => ({ name: migration.name, class: migration }));
}
