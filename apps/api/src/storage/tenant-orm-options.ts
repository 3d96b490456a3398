import { Migrator } from '@mikro-orm/migrations';
import { Logger } from '@nestjs/common';
import { migrationsOf } from '#database/migrations';
import type { AuditRecorder } from '#libs/audit';
import { ChangeEventsSubscriber, compareJsonByContent, type Engine, type OrmOverrides } from '#libs/persistence';
import { addTenantPolicies, GuardedEntityManager, guardedDriver, tenantSettings } from '#libs/tenancy';
import { tenantEntities } from './entities.js';
import { logOrm } from './orm-logger.js';

const logger = new Logger('ChangeEvents');

/**
 * What MikroORM is told about a database that holds tenants' rows: both layers of the guard in front, and every
 * change on record. On PostgreSQL every statement says for which tenant it is sent, and runs as `role`.
 */
export function tenantOrmOptions(engine: Engine, recorder: AuditRecorder, role?: string): OrmOverrides {
  const changeEvents = new ChangeEventsSubscriber({
    subscribers: [recorder],
    onError: (error) => logger.error(error),
  });
  return {
    ...tenantModel(engine),
    ...engine.carry?.(tenantSettings(role)),
    driver: guardedDriver(engine),
    entityManager: GuardedEntityManager,
    subscribers: [changeEvents],
    logger: logOrm,
  };
}

/** What the tables of such a database are: entities, migrations, and on PostgreSQL their policies. */
export function tenantModel({ name }: Pick<Engine, 'name'>): OrmOverrides {
  return {
    entities: tenantEntities,
    extensions: [Migrator],
    migrations: { snapshot: false, migrationsList: migrationsOf('tenant', name) },
    discovery: {
      afterDiscovered: (metadata) => {
        compareJsonByContent(metadata);
        if (name === 'postgresql') addTenantPolicies(metadata);
      },
    },
  };
}
