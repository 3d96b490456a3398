import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { AuditEntry, AuditKeyRing, AuditRecorder, AuditSubjectKey, FixedAuditKeys } from '#libs/audit';
import { runAs } from '#libs/context';
import { ChangeEventsSubscriber, getEngine, ormOptions } from '#libs/persistence';
import { GuardedEntityManager, guardedDriver } from '#libs/tenancy';
import { Tag } from './child-tag.entity.js';

/** What the parent says by the environment: where, for whom, with which keys. */
const { url, tenant, keys } = JSON.parse(process.env.WRITER ?? '{}');

/** Commits, and dies without a farewell before anything could be sealed. */
const recorder = new AuditRecorder({ keys: new FixedAuditKeys(AuditKeyRing.parse(keys)) });
const orm = await MikroORM.init<AbstractSqlDriver>(
  ormOptions(url, {
    entities: [Tag, AuditEntry, AuditSubjectKey],
    driver: guardedDriver(getEngine(url)),
    entityManager: GuardedEntityManager,
    subscribers: [new ChangeEventsSubscriber({ subscribers: [recorder], onError: console.error })],
  }),
);
await runAs({ tenant, actor: { id: 'u-1', type: 'user', email: 'ada@acme.test' } }, async () => {
  for (const name of ['one', 'two', 'three']) {
    const em = orm.em.fork() as SqlEntityManager;
    em.create(Tag, { name });
    await em.flush();
  }
});
process.kill(process.pid, 'SIGKILL');
