import { Migrator } from '@mikro-orm/migrations';
import { Logger } from '@nestjs/common';
import { migrationsOf } from '#database/migrations';
import type { AuditRecorder } from '#libs/audit';
import { ChangeEventsSubscriber, type Engine, type OrmOverrides } from '#libs/persistence';
import { GuardedEntityManager, guardedDriver } from '#libs/tenancy';
import { tenantEntities } from './entities.js';
import { logOrm } from './orm-logger.js';

const logger = new Logger('ChangeEvents');

/**
 * What MikroORM is told about a database that holds tenants' rows: both layers of the guard in front, and every
 * change on record.
 */
export function tenantOrmOptions(engine: Engine, recorder: AuditRecorder): OrmOverrides {
  const changeEvents = new ChangeEventsSubscriber({
    subscribers: [recorder],
    onError: (error) => logger.error(error),
  });
  return {
    entities: tenantEntities,
    driver: guardedDriver(engine),
    entityManager: GuardedEntityManager,
    subscribers: [changeEvents],
    extensions: [Migrator],
    logger: logOrm,
    migrations: { snapshot: false, migrationsList: migrationsOf('tenant', engine.name) },
  };
}
