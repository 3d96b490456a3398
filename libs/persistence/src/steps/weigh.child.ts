// A process of its own, which a test kills while it works: `weigh.child.ts <database url> <tenant id>`.
import { setTimeout as sleep } from 'node:timers/promises';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { runAs } from '#libs/context';
import { ormOptions } from '../orm-options.js';
import { stepsModel, weigh } from './steps.fixture.js';

const [url = '', tenantId = ''] = process.argv.slice(2);
const orm = await MikroORM.init<AbstractSqlDriver>(ormOptions(url, { entities: [...stepsModel] }));
await runAs({ tenant: { id: tenantId, slug: 'acme' }, actor: { id: 'job', type: 'system' } }, () =>
  // Time to be killed between what a step has written and its commit.
  weigh(orm.em.fork() as SqlEntityManager, { onProgress: ({ done }) => void process.send?.(done) }, () => sleep(5)),
);
await orm.close(true);
