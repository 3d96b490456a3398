import { describe, expect, it, jest } from '@jest/globals';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { PersonalKeys, verifyExport } from '#libs/audit';
import { eachEngine } from '#libs/testing';
import { Customer, Delivery } from './audit.model.js';
import { eachPlace } from './each-place.js';
import { aSealedWorld, linesOf, type SealedWorld, textOf } from './sealed-world.js';

/** Every table that says anything about the trail. */
const TABLES = ['audit_entry', 'audit_seal', 'audit_log', 'audit_checkpoint', 'audit_purge', 'audit_subject_key'];
const NAME = 'Grace-canary';
const EMAIL = 'grace-canary@example.test';
const ADDRESS = 'Canary-street 5';

async function stored({ world, tenant }: SealedWorld): Promise<string> {
  const rows = TABLES.map((table) => world.execute(`select * from ${table} where tenant_id = ?`, [tenant.id]));
  return JSON.stringify(await Promise.all(rows));
}

async function exported({ world, exporter }: SealedWorld): Promise<string> {
  return world.as(() => textOf(exporter.ndjson()));
}

/** A customer who came, changed and had something sent. */
async function aCustomer({ world }: SealedWorld, name = NAME): Promise<Customer> {
  const customer = await world.write((em) => em.create(Customer, { name, email: EMAIL }));
  await world.write(async (em) => {
    const found = await em.findOneOrFail(Customer, { id: customer.id });
    found.tier = 'gold';
    found.name = `${name} II`;
  });
  const delivery = await world.write(async (em) =>
    em.create(Delivery, { customer: em.getReference(Customer, customer.id as never), address: 'somewhere' }),
  );
  // Without a word about whose it is.
  await world.write(async (em) => {
    (await em.findOneOrFail(Delivery, { id: delivery.id })).address = ADDRESS;
  });
  return customer;
}

describe('erasure', () => {
  eachPlace((strategy, engine) => {
    const aWorld = aSealedWorld(engine, strategy);
    const changesOf = ({ world }: SealedWorld, entity: string) =>
      world.as(async () => (await world.trail.list({ entity })).entries.map((entry) => entry.getChanges()).reverse());

    it('keeps personal values out of every table, and shows them to who reads the trail', async () => {
      const it = await aWorld();
      await aCustomer(it);
      const text = await stored(it);
      for (const canary of [NAME, EMAIL, ADDRESS, it.world.actor.email]) expect(text).not.toContain(canary);
      expect(await changesOf(it, 'Customer')).toMatchObject([
        { name: { old: null, new: NAME }, email: { new: EMAIL }, tier: { new: 'basic' } },
        { name: { old: NAME, new: `${NAME} II` }, tier: { old: 'basic', new: 'gold' } },
      ]);
      expect(await changesOf(it, 'Delivery')).toMatchObject([
        { address: { new: 'somewhere' } },
        { address: { old: 'somewhere', new: ADDRESS } },
      ]);
      const [entry] = await it.world.as(async () => (await it.world.trail.list()).entries);
      expect(entry).toMatchObject({ actorEmail: it.world.actor.email });
      expect(await exported(it)).toContain(NAME);
    });

    it('erases a person everywhere, exports included, and verifies as before', async () => {
      const it = await aWorld();
      const { id } = await aCustomer(it);
      const other = await aCustomer(it, 'Other');
      const before = await it.verify();
      const text = await stored(it);
      expect(await it.world.as(() => it.erasure.erase(id))).toEqual({ keys: 1 });
      expect(await changesOf(it, 'Customer')).toMatchObject([
        { name: { erased: true }, email: { erased: true }, tier: { new: 'basic' } },
        { name: { erased: true }, tier: { new: 'gold' } },
        { name: { new: 'Other' } },
        { name: { new: 'Other II' } },
      ]);
      expect(await changesOf(it, 'Delivery')).toMatchObject([
        { address: { erased: true } },
        { address: { erased: true } },
        {},
        {},
      ]);
      const lines = await exported(it);
      for (const canary of [NAME, 'somewhere"},"address":{"erased']) expect(lines).not.toContain(canary);
      expect(lines).toContain('Other');
      expect(await verifyExport(linesOf(lines))).toMatchObject({ ok: true });
      expect(await it.verify({ against: before.checkpoint })).toMatchObject({ ok: true });
      const state = await it.world.as(() => it.world.trail.stateAt(Customer, id, 2));
      expect(state).toMatchObject({ values: { tier: 'gold' }, withheld: expect.arrayContaining(['name', 'email']) });
      expect(await it.world.as(() => it.world.trail.stateAt(Customer, other.id, 2))).toMatchObject({ withheld: [] });
      expect(text.length).toBeGreaterThan(0);
    });

    it('goes on with an erasure that was broken off after the key had been listed', async () => {
      const it = await aWorld();
      const { id } = await aCustomer(it);
      jest.spyOn(it.world.trail, 'record').mockRejectedValueOnce(new Error('the database is away'));
      await expect(it.world.as(() => it.erasure.erase(id))).rejects.toThrow('away');
      expect(await it.world.as(() => it.erasure.erase(id))).toEqual({ keys: 1 });
      expect(await exported(it)).not.toContain(NAME);
    });

    it('keeps no key that could not be written', async () => {
      const it = await aWorld();
      const kept: unknown[] = [];
      const onCommit = (callback: () => void) => void kept.push(callback);
      const made = it.world.as((em) =>
        em.transactional((inner) => {
          const entityManager = inner as SqlEntityManager;
          const target = { entityManager, transaction: inner.getTransactionContext() as never, onCommit };
          return new PersonalKeys().get(target, it.tenant.id, [null as never]);
        }),
      );
      await expect(made).rejects.toThrow(/null/i);
      expect(kept).toEqual([]);
    });

    it('tells of the erasure without saying whose it was', async () => {
      const it = await aWorld();
      const { id } = await aCustomer(it);
      await it.world.as(() => it.erasure.erase(id));
      const [entry] = (await it.world.entries()).slice(-1);
      expect(entry).toMatchObject({ action: 'personal_values_erased', entityId: null, entityName: null });
      expect(JSON.stringify(entry)).not.toContain(id);
    });

    it("erases an actor's e-mail, address and program from what he has done", async () => {
      const it = await aWorld();
      const actor = { id: 'u-grace', type: 'user', email: EMAIL } as const;
      await it.world.write((em) => void em.create(Customer, { name: 'x' }), {
        actor,
        ip: '192.0.2.7',
        userAgent: 'own',
      });
      await it.world.as(() => it.erasure.erase('u-grace'));
      const { entries } = await it.world.as(() => it.world.trail.list({ entity: 'Customer' }));
      expect(entries).toMatchObject([{ actorId: 'u-grace', actorEmail: null, ip: null, userAgent: null }]);
      expect(await it.verify()).toMatchObject({ ok: true });
    });

    it('erases again what a backup has brought back', async () => {
      const it = await aWorld();
      const { id } = await aCustomer(it);
      const keys = (await it.world.execute('select * from audit_subject_key where subject = ?', [id])) as object[];
      await it.world.as(() => it.erasure.erase(id));
      for (const key of keys) {
        const names = Object.keys(key);
        const marks = names.map(() => '?').join(', ');
        await it.world.execute(
          `insert into audit_subject_key (${names.join(', ')}) values (${marks})`,
          Object.values(key),
        );
      }
      expect(JSON.stringify(await changesOf(it, 'Customer'))).toContain(NAME);
      expect(await it.world.as(() => it.erasure.eraseAgain())).toEqual({ keys: 1 });
      expect(JSON.stringify(await changesOf(it, 'Customer'))).not.toContain(NAME);
      expect(await it.world.as(() => it.erasure.eraseAgain())).toEqual({ keys: 0 });
    });

    it('writes under no key of a transaction that was rolled back', async () => {
      const it = await aWorld();
      const actor = { id: 'u-rolled-back', type: 'user', email: EMAIL } as const;
      const failed = it.world.as(
        (em) =>
          em.transactional(async (inner) => {
            inner.create(Customer, { name: NAME });
            await inner.flush();
            throw new Error('no');
          }),
        { actor },
      );
      await expect(failed).rejects.toThrow('no');
      await it.world.write((em) => void em.create(Customer, { name: NAME }), { actor });
      const { entries } = await it.world.as(() => it.world.trail.list({ entity: 'Customer' }));
      expect(entries).toMatchObject([{ actorEmail: EMAIL }]);
      expect(entries[0]?.getChanges()).toMatchObject({ name: { new: NAME } });
    });
  });

  eachEngine((engine) => {
    const aWorld = aSealedWorld(engine);

    it('needs one more statement for a person it has not seen lately, and none after that', async () => {
      const it = await aWorld();
      const write = () => it.world.write((em) => void em.create(Customer, { name: 'same' }));
      const count = async () => (await it.world.database.statementsOf(write)).length;
      await write();
      await write();
      // One for the row, one for its entry; and the key of a new customer.
      expect(await count()).toBe(4);
    });
  });
});
