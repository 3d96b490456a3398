import { type Options, Utils } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import { letUnloadedCollectionsShrink } from './collections/unloaded-collections.js';
import type { PoolOptions } from './engines/engine.js';
import { getEngine } from './engines/engines.js';
import { readExactIntegers } from './entities/exact-integers.js';
import { compareJsonByContent } from './entities/json-comparison.js';
import { putKeysFirst } from './entities/keys-first.js';
import { keepEntitiesLean } from './entities/lean-entities.js';

/** What `ormOptions` leaves to its caller: entities, subscribers, the EntityManager class, a context name. */
export type OrmOverrides = Partial<Options<AbstractSqlDriver>>;

letUnloadedCollectionsShrink();

/** MikroORM options for the database behind `url`, with every default that tenancy and auditing rely on. */
export function ormOptions(url: string, overrides: OrmOverrides = {}, pool?: PoolOptions): Options<AbstractSqlDriver> {
  const engine = getEngine(url);
  const { discovery, ...rest } = overrides;
  const connection = engine.connectionOptions(url, pool);
  return {
    driver: engine.driver,
    ...connection,
    metadataCache: { enabled: false },
    // A missing database is a fault to report. By default MikroORM would create an empty one in its place.
    ensureDatabase: false,
    // Defaults belong in the mapping: guessing them from constructors puts surprises into the DDL.
    discovery: {
      inferDefaultValues: false,
      ...discovery,
      async afterDiscovered(storage, platform) {
        putKeysFirst(storage);
        compareJsonByContent(storage);
        readExactIntegers(storage, platform);
        keepEntitiesLean(storage);
        await discovery?.afterDiscovered?.(storage, platform);
      },
    },
    // Composite keys carry the tenant through every join, so these would add nothing; and with them on, a nested
    // select-in drops rows whose own nullable to-one is null (MikroORM 7.2.1).
    autoJoinRefsForFilters: false,
    filtersOnRelations: false,
    forceUtcTimezone: true,
    // Reading the whole database back after every migration takes seconds once there are tenant schemas.
    migrations: { snapshot: false },
    ...rest,
    ...mergeDriverOptions(connection, rest),
  } as Options<AbstractSqlDriver>;
}

/** What the engine tells its driver stays, unless the caller says otherwise by name, or brings a client of its own. */
function mergeDriverOptions(
  { driverOptions: own }: OrmOverrides,
  { driverOptions: given }: OrmOverrides,
): OrmOverrides {
  if (!Utils.isPlainObject(own) || (given !== undefined && !Utils.isPlainObject(given))) return {};
  return { driverOptions: { ...own, ...given } };
}
