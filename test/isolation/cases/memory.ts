import { randomUUID } from 'node:crypto';
import { Category, Tag } from '#libs/testing';
import { BOTH, type IsolationCase, type Wall } from '../isolation-case.js';
import { as, keyOf } from '../isolation-world.js';

const closedBy: readonly Wall[] = ['entity-manager'];

/** What is kept between calls: result caches, identity maps, EntityManagers in closures. No SQL is sent, or none foreign. */
export const memory: readonly IsolationCase[] = [
  {
    title: 'a named result of find',
    closedBy,
    attempt: async ({ fork, target }) => {
      const find = () =>
        fork().find(Category, { tenantId: target.tenant.id }, { cache: [`find ${target.canary}`, 5_000] });
      await as(target.tenant, find);
      return find();
    },
  },
  {
    title: 'a named result of findOne',
    closedBy,
    attempt: async ({ fork, target }) => {
      const key = { tenantId: target.tenant.id, id: target.tag };
      const find = () => fork().findOne(Tag, key, { cache: [`findOne ${target.canary}`, 5_000] });
      await as(target.tenant, find);
      return find();
    },
  },
  {
    title: 'a named result of count',
    closedBy,
    attempt: async ({ fork, target }) => {
      const count = () =>
        fork().count(Tag, { tenantId: target.tenant.id }, { cache: [`count ${target.canary}`, 5_000] });
      await as(target.tenant, count);
      return count();
    },
    hasReached: (result) => Number(result) > 0,
  },
  {
    title: 'a named result of a query builder',
    closedBy,
    attempt: async ({ fork, own, target }) => {
      const name: [string, number] = [`qb ${target.canary}`, 5_000];
      const query = (tenantId: string) => fork().qb(Tag).select('*').where({ tenantId }).cache(name).execute();
      await as(target.tenant, () => query(target.tenant.id));
      return query(own.tenant.id);
    },
  },
  {
    title: 'an automatic result of find',
    closedBy: BOTH,
    attempt: async ({ fork, target }) => {
      // Like no other: what an earlier attempt has left in the cache would answer.
      const condition = { name: { $ne: randomUUID() } };
      const find = () => fork().find(Category, condition, { cache: 5_000 });
      await as(target.tenant, find);
      return find();
    },
  },
  {
    title: 'the identity map of an EntityManager that served another tenant',
    closedBy,
    attempt: async ({ em, target }) => {
      const [tenantId, id] = keyOf(target, 'tag');
      await as(target.tenant, () => em.findOneOrFail(Tag, { tenantId, id }));
      return em.findOne(Tag, { tenantId, id });
    },
  },
  {
    title: 'a reference from such an identity map',
    closedBy,
    attempt: async ({ em, target }) => {
      const [tenantId, id] = keyOf(target, 'tag');
      await as(target.tenant, () => em.findOneOrFail(Tag, { tenantId, id }));
      return em.getReference(Tag, [tenantId, id]);
    },
  },
  {
    title: 'a fork that takes such an identity map along',
    closedBy,
    attempt: async ({ em, target }) => {
      const [tenantId, id] = keyOf(target, 'tag');
      await as(target.tenant, () => em.findOneOrFail(Tag, { tenantId, id }));
      return em.fork({ clear: false }).findOne(Tag, { tenantId, id });
    },
  },
  {
    title: 'changes that another tenant made in a shared EntityManager',
    closedBy: BOTH,
    attempt: async ({ em, target }) => {
      await as(target.tenant, async () => {
        (await em.findOneOrFail(Tag, { tenantId: target.tenant.id, id: target.tag })).name = 'changed by a case';
      });
      await em.flush();
    },
  },
  {
    title: 'an entity under a key that is not its own',
    closedBy,
    attempt: async ({ em, own, target }) => {
      // Cached rows, or a mistake in a factory, can put it there.
      const data = { tenantId: own.tenant.id, id: target.tag, name: target.canary };
      const tag = em.getEntityFactory().create(Tag, data, { merge: true, refresh: true, schema: em.schema });
      Object.assign(tag, { tenantId: target.tenant.id });
      return em.findOne(Tag, { tenantId: own.tenant.id, id: target.tag });
    },
  },
];
