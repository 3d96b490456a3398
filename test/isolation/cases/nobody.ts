import { sql } from 'kysely';
import { Order, Payment, Product, Tag } from '#libs/testing';
import { BOTH, type IsolationCase } from '../isolation-case.js';
import { keyOf, made, tableOf } from '../isolation-world.js';

const CHANGED = 'changed by nobody';
const asNobody = true;

/** Work in a context that names no tenant: a job that lost it, a script that never had one. */
export const nobody: readonly IsolationCase[] = [
  { title: 'find', closedBy: BOTH, asNobody, attempt: ({ em }) => em.find(Product, {}) },
  {
    title: 'find by the whole key',
    closedBy: BOTH,
    asNobody,
    attempt: ({ em, target }) => em.find(Tag, { tenantId: target.tenant.id }),
  },
  {
    title: 'count',
    closedBy: BOTH,
    asNobody,
    attempt: ({ em, target }) => em.count(Tag, { tenantId: target.tenant.id }),
    hasReached: (result) => Number(result) > 0,
  },
  {
    title: 'change a reference and flush',
    closedBy: BOTH,
    asNobody,
    attempt: async ({ em, target }) => {
      em.getReference(Tag, keyOf(target, 'tag')).name = CHANGED;
      await em.flush();
    },
  },
  {
    title: 'flush what the factory made',
    closedBy: BOTH,
    asNobody,
    attempt: async ({ em, target }) => {
      made(em, Tag, keyOf(target, 'tag')).name = CHANGED;
      await em.flush();
    },
  },
  {
    title: 'create',
    closedBy: BOTH,
    asNobody,
    attempt: async ({ em, target }) => {
      em.create(Order, { tenantId: target.tenant.id });
      await em.flush();
    },
  },
  {
    title: 'nativeDelete',
    closedBy: BOTH,
    asNobody,
    attempt: ({ em, target }) => em.nativeDelete(Payment, { tenantId: target.tenant.id }),
  },
  {
    title: 'raw SQL with the tenant in it',
    closedBy: BOTH,
    asNobody,
    attempt: ({ em, target }) =>
      em.execute(`select * from ${tableOf(em, 'tag')} where tenant_id = ?`, [target.tenant.id]),
  },
  {
    title: 'Kysely with the tenant in it',
    closedBy: BOTH,
    asNobody,
    attempt: ({ em, target }) =>
      sql`select * from ${sql.table(tableOf(em, 'tag'))} where tenant_id = ${target.tenant.id}`.execute(em.getKysely()),
  },
  {
    title: 'the query builder with the tenant in it',
    closedBy: BOTH,
    asNobody,
    attempt: ({ em, target }) => em.qb(Tag).select('*').where({ tenantId: target.tenant.id }).execute(),
  },
  {
    title: 'the driver with the tenant in it',
    closedBy: ['statements'],
    asNobody,
    attempt: ({ em, target }) => em.getDriver().find(Tag, { tenantId: target.tenant.id }, { schema: em.schema }),
  },
];
