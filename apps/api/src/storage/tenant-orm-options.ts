import type { MetadataStorage } from '@mikro-orm/core';
import { Migrator } from '@mikro-orm/migrations';
import { Logger } from '@nestjs/common';
import { migrationsOf } from '#database/migrations';
import type { AuditRecorder } from '#libs/audit';
import { ChangeEventsSubscriber, compareJsonByContent, type Engine, type OrmOverrides } from '#libs/persistence';
import {
  addTenantPolicies,
  GuardedEntityManager,
  guardedDriver,
  type StatementGuardOptions,
  tenantSettings,
} from '#libs/tenancy';
import { TagLinker } from '../shop/catalogue/tag-linker.js';
import { tenantEntities } from './entities.js';
import { logOrm } from './orm-logger.js';

const logger = new Logger('ChangeEvents');

/** What differs between databases that hold tenants' rows. */
export interface TenantOrmSetup {
  /** PostgreSQL: the role that application work runs as; default: as whoever opened the connection. */
  readonly role?: string;
  /** How the second layer of the guard is set up. */
  readonly guard?: StatementGuardOptions;
  /** PostgreSQL: whether each statement carries the schema where its tenant's tables are. */
  readonly searchesPath?: boolean;
}

/**
 * What MikroORM is told about a database that holds tenants' rows: both layers of the guard in front, and every
 * change on record. On PostgreSQL every statement says for which tenant it is sent, and runs as `role`.
 */
export function tenantOrmOptions(
  engine: Engine,
  recorder: AuditRecorder,
  { role, guard, searchesPath }: TenantOrmSetup = {},
): OrmOverrides {
  const changeEvents = new ChangeEventsSubscriber({
    subscribers: [recorder, new TagLinker()],
    onError: (error) => logger.error(error),
  });
  return {
    ...tenantModel(engine),
    ...engine.carry?.(tenantSettings(role, searchesPath)),
    driver: guardedDriver(engine, guard),
    entityManager: GuardedEntityManager,
    subscribers: [changeEvents],
    logger: logOrm,
  };
}

/** What the tables of such a database are: entities, migrations, and on PostgreSQL their policies. */
export function tenantModel({ name }: Pick<Engine, 'name'>) {
  return {
    entities: tenantEntities,
    extensions: [Migrator],
    migrations: { snapshot: false, migrationsList: migrationsOf('tenant', name) },
    discovery: {
      afterDiscovered: (metadata: MetadataStorage) => {
        compareJsonByContent(metadata);
        if (name === 'postgresql') addTenantPolicies(metadata);
      },
    },
  } satisfies OrmOverrides;
}
