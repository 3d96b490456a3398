import { Migrator } from '@mikro-orm/migrations';
import { migrationsOf } from '#database/migrations';
import type { Engine, OrmOverrides } from '#libs/persistence';
import { centralEntities } from './entities.js';

/** What the tables of the central database are: entities and migrations. */
export function centralModel({ name }: Pick<Engine, 'name'>) {
  return {
    entities: centralEntities,
    extensions: [Migrator],
    migrations: { snapshot: false, migrationsList: migrationsOf('central', name) },
  } satisfies OrmOverrides;
}
