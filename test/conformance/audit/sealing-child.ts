import { setTimeout as delay } from 'node:timers/promises';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import {
  AuditCheckpoint,
  AuditEntry,
  AuditErasure,
  AuditKeyRing,
  AuditLog,
  AuditRecorder,
  AuditSeal,
  AuditSealer,
  AuditSubjectKey,
  AuditTrail,
  FixedAuditKeys,
  PersonalKeys,
  SealScheduler,
  TenantRoster,
} from '#libs/audit';
import { type ContextTenant, runAs } from '#libs/context';
import {
  CentralEntityManager,
  ChangeEventsSubscriber,
  CurrentEntityManager,
  getEngine,
  ormOptions,
} from '#libs/persistence';
import { GuardedEntityManager, guardedDriver } from '#libs/tenancy';
import { Tag } from './child-tag.entity.js';

/** What the parent says by the environment: where, for whom, with which keys, how many commits. */
const { url, tenant, keys, commits } = JSON.parse(process.env.SEALING ?? '{}');

const options = { keys: new FixedAuditKeys(AuditKeyRing.parse(keys)), onSealingError: (error: unknown) => fail(error) };
const recorder = new AuditRecorder(options);
const orm = await MikroORM.init<AbstractSqlDriver>(
  ormOptions(url, {
    entities: [Tag, AuditEntry, AuditSeal, AuditLog, AuditCheckpoint, AuditSubjectKey],
    driver: guardedDriver(getEngine(url)),
    entityManager: GuardedEntityManager,
    subscribers: [new ChangeEventsSubscriber({ subscribers: [recorder], onError: (error) => fail(error) })],
  }),
);

class Current extends CurrentEntityManager {
  get() {
    return orm.em.fork() as SqlEntityManager;
  }
}

class Nowhere extends CentralEntityManager {
  get(): SqlEntityManager {
    throw new Error('Nothing is central here.');
  }
}

class Nobody extends TenantRoster {
  async *all(): AsyncIterable<ContextTenant> {}
}

function fail(error: unknown): never {
  process.send?.(`failed: ${error}`);
  process.exit(1);
}

/** Writes and seals as an application does, until it is told to stop. */
const current = new Current();
const sealer = new AuditSealer(current, options);
const erasure = new AuditErasure(current, new AuditTrail(current, options), new PersonalKeys(), new Nowhere());
const scheduler = new SealScheduler(sealer, new Nobody(), erasure, recorder, options);
await runAs({ tenant, actor: { id: `u-${process.pid}`, type: 'user' } }, async () => {
  for (let commit = 0; commit < commits; commit++) {
    const em = current.get();
    em.create(Tag, { name: `${process.pid} ${commit}` });
    await em.flush();
    // So that rounds come in between.
    await delay(20);
  }
});
process.once('message', async () => {
  await scheduler.beforeApplicationShutdown();
  await orm.close();
  process.exit(0);
});
process.send?.('written');
