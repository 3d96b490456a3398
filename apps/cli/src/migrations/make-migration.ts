import type { DatabaseSchema } from '@mikro-orm/sql';
import type { Engine } from '#libs/persistence';
import type { MigrationStatements } from './migration-file.js';
import { type MigratedModel, proveMigration } from './prove-migration.js';
import { cautionsOf, compareSchemas, describeDifference, keepReal, readSchema } from './schema-difference.js';
import { withOrm, withScratchDatabase } from './scratch-database.js';
import { toStatements } from './to-statements.js';

/** A migration that was made and tried. */
export interface MadeMigration extends MigrationStatements {
  /** What a person must think about before rows meet it. */
  readonly cautions: readonly string[];
}

/**
 * Compares the entities of `model` with an empty database that its migrations have run on, and makes the migration that is
 * missing. It has run up and down when it is returned.
 *
 * @param serverUrl  where empty databases can be made; sqlite needs none
 * @returns `undefined` when entities and migrations agree
 * @throws {MigrationUnprovenError} when what was made does not do what it should
 */
export function makeMigration(
  engine: Engine,
  serverUrl: string | undefined,
  model: MigratedModel,
): Promise<MadeMigration | undefined> {
  return withScratchDatabase(engine, serverUrl, (createdUrl) =>
    withOrm(createdUrl, model, async (created) => {
      await created.schema.create();
      const wanted = await readSchema(created);
      return withScratchDatabase(engine, serverUrl, async (url) => {
        const made = await compare(url, model, wanted);
        if (made) await proveMigration(engine.name, url, model, made, wanted);
        return made;
      });
    }),
  );
}

/** @param wanted  a database made from the entities, as it is read back */
function compare(url: string, model: MigratedModel, wanted: DatabaseSchema): Promise<MadeMigration | undefined> {
  return withOrm(url, model, async (orm) => {
    await orm.migrator.up();
    const differs = async () => compareSchemas(orm, await readSchema(orm), wanted);
    if (describeDifference(await differs()).length === 0) return undefined;
    const target = () => orm.schema.getTargetSchema();
    const up = keepReal(compareSchemas(orm, await readSchema(orm), target()), await differs());
    const real = compareSchemas(orm, wanted, await readSchema(orm));
    const down = keepReal(compareSchemas(orm, target(), await readSchema(orm)), real);
    return { cautions: cautionsOf(up), up: toStatements(orm, up), down: toStatements(orm, down) };
  });
}
