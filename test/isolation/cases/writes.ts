import { wrap } from '@mikro-orm/core';
import { Book, Category, Order, Payment, Product, Tag } from '#libs/testing';
import { BOTH, type IsolationCase } from '../isolation-case.js';
import { as, keyOf, made } from '../isolation-world.js';

const CHANGED = 'changed by a case';

/** Writes through the ORM: foreign rows changed, deleted, taken over, and own rows pushed into another tenant. */
export const writes: readonly IsolationCase[] = [
  {
    title: 'change a reference and flush',
    closedBy: BOTH,
    attempt: async ({ em, target }) => {
      em.getReference(Tag, keyOf(target, 'tag')).name = CHANGED;
      await em.flush();
    },
  },
  {
    title: 'change a reference made by the factory and flush',
    closedBy: BOTH,
    attempt: async ({ em, target }) => {
      made(em, Tag, keyOf(target, 'tag')).name = CHANGED;
      await em.flush();
    },
  },
  {
    title: 'remove a reference and flush',
    closedBy: BOTH,
    attempt: async ({ em, target }) => {
      em.remove(em.getReference(Payment, keyOf(target, 'payment')));
      await em.flush();
    },
  },
  {
    title: 'remove a reference through the unit of work',
    closedBy: BOTH,
    attempt: async ({ em, target }) => {
      const payment = made(em, Payment, keyOf(target, 'payment'));
      em.getUnitOfWork().remove(payment);
      await em.flush();
    },
  },
  {
    title: 'remove a new object with a foreign key',
    closedBy: BOTH,
    attempt: async ({ em, target }) => {
      const [tenantId, id] = keyOf(target, 'payment');
      em.remove(
        em.create(Payment, { tenantId, id } as never, { managed: true, persist: false, partial: true } as never),
      );
      await em.flush();
    },
  },
  {
    title: 'merge data, change it and flush',
    closedBy: BOTH,
    attempt: async ({ em, target }) => {
      const [tenantId, id] = keyOf(target, 'tag');
      em.merge(Tag, { tenantId, id, name: 'x' }).name = CHANGED;
      await em.flush();
    },
  },
  {
    title: 'map a row, change it and flush',
    closedBy: BOTH,
    attempt: async ({ em, target }) => {
      const [tenantId, id] = keyOf(target, 'tag');
      em.map(Tag, { tenant_id: tenantId, id, name: 'x' } as never).name = CHANGED;
      await em.flush();
    },
  },
  {
    title: 'flush an entity that another EntityManager has loaded',
    closedBy: BOTH,
    attempt: async ({ em, fork, target }) => {
      const tag = await as(target.tenant, () =>
        fork().findOneOrFail(Tag, { tenantId: target.tenant.id, id: target.tag }),
      );
      tag.name = CHANGED;
      em.persist(tag);
      await em.flush();
    },
  },
  {
    title: 'merge an entity that another EntityManager has loaded',
    closedBy: BOTH,
    attempt: async ({ em, fork, target }) => {
      const tag = await as(target.tenant, () =>
        fork().findOneOrFail(Tag, { tenantId: target.tenant.id, id: target.tag }),
      );
      em.merge(tag).name = CHANGED;
      await em.flush();
    },
  },
  {
    title: 'create with the id of a tenant',
    closedBy: BOTH,
    attempt: async ({ em, target }) => {
      em.create(Tag, { tenantId: target.tenant.id, name: CHANGED });
      await em.flush();
    },
  },
  {
    title: 'create with a body from JSON',
    closedBy: BOTH,
    attempt: async ({ em, target }) => {
      em.create(Tag, JSON.parse(JSON.stringify({ name: CHANGED, tenantId: target.tenant.id })));
      await em.flush();
    },
  },
  {
    title: 'create nested data with the id of a tenant',
    closedBy: BOTH,
    attempt: async ({ em, own, target }) => {
      const line = { tenantId: target.tenant.id, quantity: 7, product: keyOf(target, 'book') };
      em.create(Order, {
        tenantId: own.tenant.id === target.tenant.id ? own.tenant.id : target.tenant.id,
        lines: [line],
      } as never);
      await em.flush();
    },
  },
  {
    title: 'persist a new object with the id of a tenant',
    closedBy: BOTH,
    attempt: async ({ em, target }) => {
      em.persist(Object.assign(new Tag(), { tenantId: target.tenant.id, name: CHANGED }));
      await em.flush();
    },
  },
  {
    title: 'persist it through the unit of work',
    closedBy: BOTH,
    attempt: async ({ em, target }) => {
      em.getUnitOfWork().persist(Object.assign(new Tag(), { tenantId: target.tenant.id, name: CHANGED }));
      await em.flush();
    },
  },
  {
    title: 'give an own row away by assigning its tenant',
    closedBy: BOTH,
    attempt: async ({ em, own, target }) => {
      const category = await em.findOneOrFail(Category, keyOf(own, 'category') as never);
      const children = em.create(Category, { tenantId: own.tenant.id, name: 'c' });
      await em.flush();
      em.assign(children, { tenantId: target.tenant.id, name: CHANGED } as never);
      await em.flush();
      return category.id;
    },
  },
  {
    title: 'give an own row away by wrap().assign()',
    closedBy: BOTH,
    attempt: async ({ em, own, target }) => {
      const tag = em.create(Tag, { tenantId: own.tenant.id, name: 't' });
      await em.flush();
      wrap(tag).assign({ tenantId: target.tenant.id, name: CHANGED } as never);
      await em.flush();
    },
  },
  {
    title: 'give an own row away by writing the property',
    closedBy: BOTH,
    attempt: async ({ em, own, target }) => {
      const tag = em.create(Tag, { tenantId: own.tenant.id, name: 't' });
      await em.flush();
      Object.assign(tag, { tenantId: target.tenant.id, name: CHANGED });
      await em.flush();
    },
  },
  {
    title: 'upsert onto a foreign key',
    closedBy: BOTH,
    attempt: ({ em, target }) => em.upsert(Tag, { tenantId: target.tenant.id, id: target.tag, name: CHANGED }),
  },
  {
    title: 'upsertMany onto foreign keys',
    closedBy: BOTH,
    attempt: ({ em, target }) => em.upsertMany(Tag, [{ tenantId: target.tenant.id, id: target.tag, name: CHANGED }]),
  },
  {
    title: 'insert',
    closedBy: BOTH,
    attempt: ({ em, target }) => em.insert(Tag, { tenantId: target.tenant.id, id: target.book, name: CHANGED }),
  },
  {
    title: 'insertMany',
    closedBy: BOTH,
    attempt: ({ em, target }) => em.insertMany(Tag, [{ tenantId: target.tenant.id, id: target.book, name: CHANGED }]),
  },
  {
    title: 'insert by the name of the column',
    refusedForAll: true,
    closedBy: BOTH,
    attempt: ({ em, target }) =>
      em.insert(Tag, { tenant_id: target.tenant.id, id: target.book, name: CHANGED } as never),
  },
  {
    title: 'nativeUpdate',
    closedBy: BOTH,
    attempt: ({ em, target }) => em.nativeUpdate(Tag, { id: target.tag }, { name: CHANGED }, { filters: false }),
  },
  {
    title: 'nativeUpdate of a class-table root',
    closedBy: BOTH,
    attempt: ({ em, target }) => em.nativeUpdate(Product, { id: target.book }, { stock: 99 }),
  },
  {
    title: 'nativeUpdate that gives rows away',
    closedBy: BOTH,
    attempt: async ({ em, own, target }) => {
      const id = target.line;
      await em.insert(Category, { tenantId: own.tenant.id, id, name: CHANGED });
      return em.nativeUpdate(Category, { tenantId: own.tenant.id, id }, { tenantId: target.tenant.id } as never);
    },
  },
  {
    title: 'nativeDelete',
    closedBy: BOTH,
    attempt: ({ em, target }) => em.nativeDelete(Payment, { id: target.payment }, { filters: false }),
  },
  {
    title: 'nativeDelete of a class-table leaf, which would leave half a row',
    closedBy: ['entity-manager'],
    attempt: ({ em, own }) => em.nativeDelete(Book, keyOf(own, 'book') as never),
    hasReached: (result) => Number(result) > 0,
    refusedForAll: true,
  },
  {
    title: 'write to a collection of a foreign row',
    closedBy: BOTH,
    attempt: async ({ em, target }) => {
      const book = made(em, Book, keyOf(target, 'book'));
      await wrap(book).init({ populate: ['tags'], filters: false } as never);
      book.tags.removeAll();
      await em.flush();
    },
  },
];
