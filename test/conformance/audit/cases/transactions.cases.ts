import { expect } from '@jest/globals';
import { UniqueConstraintViolationException } from '@mikro-orm/core';
import { AuditEntry, AuditTrailReadonlyError } from '#libs/audit';
import { bindUnitOfWork, bulkInsert } from '#libs/persistence';
import { expectStatements, Tag } from '#libs/testing';
import type { AuditCase } from '../audit-case.js';
import type { AuditWorld } from '../audit-world.js';

const failing = () => Promise.reject(new Error('on purpose'));

const namesOf = async (world: AuditWorld) =>
  (await world.entries()).map(({ changes }) => (changes.name as { new: unknown } | undefined)?.new);

export const transactionCases: AuditCase[] = [
  {
    title: 'adds one statement to a transaction, whatever it changes',
    control: 'oneByOne',
    async run(world) {
      await world.as(async (em) => {
        em.create(Tag, { name: 'first of the connection' });
        await em.flush();
        for (let row = 0; row < 5; row++) em.create(Tag, { name: `tag ${row}` });
        // Five rows of one class go in one insert; so do their entries.
        await expectStatements(world.database, 2, () => em.flush());
        await expectStatements(world.database, 4, () =>
          em.transactional(async (transaction) => {
            for (const name of ['one', 'two', 'three']) {
              transaction.create(Tag, { name });
              await transaction.flush();
            }
          }),
        );
      });
      expect(await world.entries()).toHaveLength(9);
    },
  },
  {
    title: 'adds no statement to a transaction that changes nothing',
    control: 'eager',
    async run(world) {
      await world.as(async (em) => {
        await expectStatements(world.database, 1, () => em.transactional((inner) => inner.find(Tag, {})));
        await em.find(Tag, {});
        await em.flush();
      });
      await world.write((em) => em.create(Tag, { name: 'one' }));
      await world.as(async (em) => {
        await em.find(Tag, {});
        await em.flush();
      });
      expect(await world.entries()).toHaveLength(1);
    },
  },
  {
    title: 'records nothing of a flush that the database refuses',
    control: 'outside',
    async run(world) {
      await world.write((em) => em.create(Tag, { name: 'taken' }));
      const before = await world.entries();
      const flush = world.write((em) => [em.create(Tag, { name: 'free' }), em.create(Tag, { name: 'taken' })]);
      await expect(flush).rejects.toThrow(UniqueConstraintViolationException);
      const transaction = world.as((em) =>
        em.transactional(async (inner) => {
          inner.create(Tag, { name: 'free' });
          await inner.flush();
          inner.create(Tag, { name: 'taken' });
        }),
      );
      await expect(transaction).rejects.toThrow(UniqueConstraintViolationException);
      expect(await world.entries()).toEqual(before);
    },
  },
  {
    title: 'records what is changed in a transaction that somebody else has begun, once that is committed',
    control: 'outside',
    async run(world) {
      await world.as(async (em) => {
        const undone = await em.getKysely().startTransaction().execute();
        await bindUnitOfWork(em, undone, (part) => void part.create(Tag, { name: 'undone' }));
        await undone.rollback().execute();
        const kept = await em.getKysely().startTransaction().execute();
        const broken = bindUnitOfWork(em, kept, async (part) => {
          part.create(Tag, { name: 'broken' });
          await part.flush();
          await failing();
        });
        await expect(broken).rejects.toThrow('on purpose');
        await bindUnitOfWork(em, kept, (part) => bulkInsert(part, Tag, [{ name: 'kept' }]));
        await kept.commit().execute();
      });
      expect(await namesOf(world)).toEqual(['kept']);
    },
  },
  {
    title: 'records what stays of a transaction whose savepoint is rolled back',
    control: 'outside',
    async run(world) {
      await world.as((em) =>
        em.transactional(async (outer) => {
          outer.create(Tag, { name: 'before' });
          await outer.flush();
          const inner = outer.transactional(
            async (nested) => {
              nested.create(Tag, { name: 'inside' });
              await nested.flush();
              await failing();
            },
            { clear: true },
          );
          await inner.catch(() => {});
          outer.create(Tag, { name: 'after' });
        }),
      );
      expect(await namesOf(world)).toEqual(['before', 'after']);
    },
  },
  {
    title: 'records a released savepoint with its transaction',
    control: 'silent',
    async run(world) {
      await world.as((em) =>
        em.transactional(async (outer) => {
          outer.create(Tag, { name: 'outside' });
          await outer.flush();
          await outer.transactional(async (nested) => void nested.create(Tag, { name: 'inside' }), { clear: true });
        }),
      );
      expect(await namesOf(world)).toEqual(['outside', 'inside']);
    },
  },
  {
    title: 'records nothing of a released savepoint whose transaction is rolled back',
    control: 'outside',
    async run(world) {
      const work = world.as((em) =>
        em.transactional(async (outer) => {
          await outer.transactional(async (nested) => void nested.create(Tag, { name: 'inside' }), { clear: true });
          await failing();
        }),
      );
      await expect(work).rejects.toThrow('on purpose');
      expect(await world.entries()).toEqual([]);
    },
  },
  {
    title: 'records several flushes of a transaction in their order',
    control: 'silent',
    async run(world) {
      await world.as((em) =>
        em.transactional(async (transaction) => {
          const tag = transaction.create(Tag, { name: 'one' });
          await transaction.flush();
          tag.name = 'two';
          await transaction.flush();
          transaction.remove(tag);
        }),
      );
      expect((await world.entries()).map(({ action, changes }) => [action, changes.name])).toEqual([
        ['create', { old: null, new: 'one' }],
        ['update', { old: 'one', new: 'two' }],
        ['delete', { old: 'two', new: null }],
      ]);
    },
  },
  {
    title: 'keeps no change when its entry cannot be written',
    control: 'forgiving',
    async run(world) {
      await world.execute('alter table audit_entry rename to audit_entry_gone');
      try {
        await expect(world.write((em) => em.create(Tag, { name: 'unrecorded' }))).rejects.toThrow();
        const transaction = world.as((em) =>
          em.transactional(async (inner) => void inner.create(Tag, { name: 'unrecorded' })),
        );
        await expect(transaction).rejects.toThrow();
      } finally {
        await world.execute('alter table audit_entry_gone rename to audit_entry');
      }
      expect(await world.as((em) => em.count(Tag, {}))).toBe(0);
      await world.write((em) => em.create(Tag, { name: 'recorded' }));
      expect(await namesOf(world)).toEqual(['recorded']);
    },
  },
  {
    title: 'refuses to change an entry',
    control: 'writable',
    async run(world) {
      await world.write((em) => em.create(Tag, { name: 'one' }));
      const before = await world.entries();
      const change = (act: (entry: AuditEntry) => object) =>
        world.write(async (em) => {
          const entry = await em.findOneOrFail(AuditEntry, { action: 'create' });
          Object.assign(entry, act(entry));
        });
      await expect(change(() => ({ changes: '{}' }))).rejects.toThrow(AuditTrailReadonlyError);
      const byReference = world.write((em) => {
        Object.assign(em.getReference(AuditEntry, before[0]?.id as never), { actorId: 'somebody else' });
      });
      await expect(byReference).rejects.toThrow(AuditTrailReadonlyError);
      expect(await world.entries()).toEqual(before);
    },
  },
  {
    title: 'refuses to delete an entry',
    control: 'writable',
    async run(world) {
      await world.write((em) => em.create(Tag, { name: 'one' }));
      const before = await world.entries();
      const remove = world.write(
        async (em) => void em.remove(await em.findOneOrFail(AuditEntry, { action: 'create' })),
      );
      await expect(remove).rejects.toThrow(AuditTrailReadonlyError);
      expect(await world.entries()).toEqual(before);
    },
  },
];
