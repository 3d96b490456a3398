import { LockMode, raw, wrap } from '@mikro-orm/core';
import { Book, Category, Order, OrderLine, Payment, Product, Tag } from '#libs/testing';
import { BOTH, type IsolationCase } from '../isolation-case.js';
import { keyOf, made } from '../isolation-world.js';

const isOverZero = (result: unknown) => Number(result) > 0;

/** Reads through the ORM: by condition, by key, through relations, and what can be told from counts and orders. */
export const reads: readonly IsolationCase[] = [
  ...(
    [{}, { filters: false }, { filters: { tenant: false } }, { filters: { tenant: { tenantId: 'any' } } }] as const
  ).map(
    (options): IsolationCase => ({
      title: `find everything with ${JSON.stringify(options)}`,
      closedBy: BOTH,
      attempt: ({ em }) => em.find(Product, {}, options as never),
    }),
  ),
  { title: 'find a class-table leaf', closedBy: BOTH, attempt: ({ em }) => em.find(Book, {}) },
  { title: 'find in a single table', closedBy: BOTH, attempt: ({ em }) => em.find(Payment, {}) },
  { title: 'findAll', closedBy: BOTH, attempt: ({ em }) => em.findAll(Tag) },
  { title: 'findAndCount', closedBy: BOTH, attempt: ({ em }) => em.findAndCount(Tag, {}) },
  {
    title: 'findByCursor',
    closedBy: BOTH,
    attempt: async ({ em }) => (await em.findByCursor(Tag, { first: 50, orderBy: { id: 'desc' } })).items,
  },
  {
    title: 'stream',
    closedBy: BOTH,
    attempt: async ({ em }) => {
      const all = [];
      for await (const tag of em.stream(Tag, {})) all.push(tag);
      return all;
    },
  },
  { title: 'findOne by id', closedBy: BOTH, attempt: ({ em, target }) => em.findOne(Tag, { id: target.tag }) },
  {
    title: 'findOne by the whole key',
    closedBy: BOTH,
    attempt: ({ em, target }) => em.findOne(Tag, { tenantId: target.tenant.id, id: target.tag }),
  },
  {
    title: 'findOne by the whole key as a list',
    closedBy: BOTH,
    attempt: ({ em, target }) => em.findOne(Tag, [keyOf(target, 'tag')] as never),
  },
  { title: 'findOneOrFail', closedBy: BOTH, attempt: ({ em, target }) => em.findOneOrFail(Book, { id: target.book }) },
  {
    title: 'findOne by an operator on the tenant',
    closedBy: BOTH,
    attempt: ({ em, target }) => em.findOne(Tag, { tenantId: { $ne: target.tag }, id: target.tag }),
  },
  {
    title: 'find with alternatives',
    closedBy: BOTH,
    attempt: ({ em, target }) => em.find(Tag, { $or: [{ name: 'nothing' }, { tenantId: target.tenant.id }] }),
  },
  {
    title: 'find with a condition from JSON',
    closedBy: BOTH,
    attempt: ({ em }) => em.find(Tag, JSON.parse('{ "tenantId": { "$ne": null } }')),
  },
  {
    title: 'find by a column of a relation',
    closedBy: BOTH,
    attempt: ({ em, target }) => em.find(Product, { category: { name: target.canary } }),
  },
  {
    title: 'find by a relation as a whole key',
    closedBy: BOTH,
    attempt: ({ em, target }) => em.find(Product, { category: keyOf(target, 'category') } as never),
  },
  ...(['$some', '$none', '$every'] as const).map(
    (quantifier): IsolationCase => ({
      title: `find by ${quantifier} of a collection`,
      closedBy: BOTH,
      attempt: ({ em, target }) =>
        em.find(Product, {
          tags: { [quantifier]: { name: quantifier === '$none' ? 'nothing' : target.canary } },
        } as never),
    }),
  ),
  {
    title: 'find with a lock',
    closedBy: BOTH,
    attempt: ({ em, target }) =>
      em.transactional((tx) => tx.find(Tag, { id: target.tag }, { lockMode: LockMode.PESSIMISTIC_WRITE })),
  },
  {
    title: 'lock a reference',
    closedBy: BOTH,
    attempt: ({ em, target }) =>
      em.transactional(async (tx) => {
        await tx.lock(tx.getReference(Tag, keyOf(target, 'tag')), LockMode.PESSIMISTIC_WRITE);
        return 'locked';
      }),
    hasReached: (result) => result === 'locked',
  },
  {
    title: 'lock a reference made by the factory',
    closedBy: BOTH,
    attempt: ({ em, target }) =>
      em.transactional(async (tx) => {
        const tag = made(tx, Tag, keyOf(target, 'tag'));
        await tx.lock(tag, LockMode.PESSIMISTIC_WRITE);
        return 'locked';
      }),
    hasReached: (result) => result === 'locked',
  },
  {
    title: 'count',
    closedBy: BOTH,
    attempt: ({ em, target }) => em.count(Tag, { id: target.tag }),
    hasReached: isOverZero,
  },
  {
    title: 'count by a secret',
    closedBy: BOTH,
    attempt: ({ em, target }) => em.count(Payment, { cardToken: target.canary } as never),
    hasReached: isOverZero,
  },
  { title: 'countBy', closedBy: BOTH, attempt: ({ em }) => em.countBy(Category, 'name') },
  {
    title: 'loadCount of a collection',
    closedBy: BOTH,
    attempt: async ({ em, target }) => {
      const order = await em.findOne(Order, { id: target.order }, { filters: false });
      return order?.lines.loadCount();
    },
    hasReached: isOverZero,
  },
  {
    title: 'items of a collection',
    closedBy: BOTH,
    attempt: async ({ em, target }) => (await em.findOne(Book, { id: target.book }))?.tags.loadItems(),
  },
  {
    title: 'matching in a collection',
    closedBy: BOTH,
    attempt: async ({ em, target }) => (await em.findOne(Book, { id: target.book }))?.tags.matching({ filters: false }),
  },
  {
    title: 'load a reference',
    closedBy: BOTH,
    attempt: ({ em, target }) => wrap(em.getReference(Tag, keyOf(target, 'tag'))).init({ filters: false }),
  },
  {
    title: 'load a reference made by the factory',
    closedBy: BOTH,
    attempt: ({ em, target }) => wrap(made(em, Tag, keyOf(target, 'tag'))).init(),
  },
  {
    title: 'refresh an entity of somewhere else',
    closedBy: BOTH,
    attempt: async ({ em, target }) => {
      const tag = made(em, Tag, keyOf(target, 'tag'));
      return (await em.refresh(tag))?.name;
    },
  },
  ...(['joined', 'select-in', 'balanced'] as const).flatMap((strategy): IsolationCase[] => [
    {
      title: `find with relations, ${strategy}`,
      closedBy: BOTH,
      attempt: ({ em, target }) =>
        em.find(Order, { id: target.order }, { populate: ['lines.product.category', 'lines.product.tags'], strategy }),
    },
    {
      title: `populate a reference, ${strategy}`,
      closedBy: BOTH,
      attempt: async ({ em, target }) => {
        const line = made(em, OrderLine, keyOf(target, 'line'));
        await em.populate(line, ['product.tags'], { strategy, filters: false });
        return line;
      },
    },
  ]),
  {
    title: 'a fragment in a condition',
    closedBy: BOTH,
    refusedForAll: true,
    attempt: ({ em }) => em.find(Tag, { [raw('1 = 1 or 1')]: 1 } as never),
  },
  {
    title: 'a fragment in a condition that is counted',
    closedBy: ['statements'],
    refusedForAll: true,
    attempt: ({ em }) => em.count(Tag, { [raw('1 = 1 or 1')]: 1 } as never),
    hasReached: (result) => Number(result) > 1,
  },
  {
    title: 'a sub-query in an order',
    closedBy: ['statements'],
    attempt: ({ em, target }) =>
      em.find(Tag, {}, {
        orderBy: { [raw(`(select count(*) from category where name = '${target.canary}')`)]: 'asc' },
      } as never),
    // What it tells is in the order of the rows; that it was asked is enough.
    hasReached: (result) => Array.isArray(result),
    refusedForAll: true,
  },
];
