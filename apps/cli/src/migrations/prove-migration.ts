import type { MigrationObject } from '@mikro-orm/core';
import { Migration } from '@mikro-orm/migrations';
import type { DatabaseSchema } from '@mikro-orm/sql';
import type { EngineName, OrmOverrides } from '#libs/persistence';
import type { MigrationStatements } from './migration-file.js';
import { MigrationUnprovenError } from './migration-unproven.error.js';
import { compareSchemas, describeDifference, readSchema } from './schema-difference.js';
import { withOrm } from './scratch-database.js';

/** What the tables of a database are: entities, and the migrations so far. */
export type MigratedModel = OrmOverrides & { readonly migrations: { readonly migrationsList: MigrationObject[] } };

/**
 * Runs `statements` as a migration runs, up and down again, in a database that every migration of `model` has run on.
 *
 * @param wanted  what the database has to hold after `up`
 * @throws {MigrationUnprovenError} when it holds something else, or after `down` not what it did before
 */
export function proveMigration(
  engine: EngineName,
  url: string,
  model: MigratedModel,
  statements: MigrationStatements,
  wanted: DatabaseSchema,
): Promise<void> {
  const { migrationsList } = model.migrations;
  const migrations = { ...model.migrations, migrationsList: [...migrationsList, asMigration(statements)] };
  return withOrm(url, { ...model, migrations }, async (orm) => {
    const before = await readSchema(orm);
    const expectSame = async (direction: 'up' | 'down', to: DatabaseSchema) => {
      const differences = describeDifference(compareSchemas(orm, await readSchema(orm), to));
      if (differences.length > 0) throw new MigrationUnprovenError(engine, direction, differences);
    };
    await orm.migrator.up();
    await expectSame('up', wanted);
    await orm.migrator.down();
    await expectSame('down', before);
  });
}

/** The migration that is made of statements, after all others. */
export function asMigration(
  { up, down }: MigrationStatements,
  name = 'Migration99999999999999Proposed',
): MigrationObject {
  return {
    name,
    class: class extends Migration {
      override up(): void {
        for (const sql of up) this.addSql(sql);
      }

      override down(): void {
        for (const sql of down) this.addSql(sql);
      }
    },
  };
}
