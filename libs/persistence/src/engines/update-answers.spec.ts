import { describe, expect, it } from '@jest/globals';
import { raw } from '@mikro-orm/core';
import { aDatabase, eachEngine } from '#libs/testing';
import { Account, VersionedAccount } from '../transactions/account.fixture.js';

describe('an update', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, [Account, VersionedAccount]);

    it.each([Account, VersionedAccount])(
      'by em.nativeUpdate answers with the count of its rows, and is sent none of them (%p)',
      async (type) => {
        const em = database.fork();
        await em.insertMany(type, [
          { id: 1, balance: 10 },
          { id: 2, balance: 20 },
          { id: 3, balance: 30 },
        ]);
        let count = 0;
        const statements = await database.statementsOf(async () => {
          count = await em.nativeUpdate(type, { id: { $gt: 1 } }, { balance: raw('balance + 1') });
        });
        expect(count).toBe(2);
        expect(statements).toHaveLength(1);
        expect(statements[0]).not.toMatch(/returning/i);
        const found = await database.fork().find(type, {}, { orderBy: { id: 'asc' } });
        expect(found.map(({ balance }) => balance)).toEqual([10, 21, 31]);
      },
    );

    it.each([Account, VersionedAccount])(
      'by a flush leaves the value of an expression, of one row and of several (%p)',
      async (type) => {
        const em = database.fork();
        await em.insertMany(type, [
          { id: 11, balance: 1 },
          { id: 12, balance: 2 },
        ]);
        const [one, other] = await em.find(type, { id: { $gt: 10 } }, { orderBy: { id: 'asc' } });
        if (!one || !other) throw new Error('not found');
        one.balance = raw('balance + 41') as never;
        await em.flush();
        expect(one.balance).toBe(42);
        one.balance = raw('balance + 1') as never;
        other.balance = raw('balance + 2') as never;
        await em.flush();
        expect([one.balance, other.balance]).toEqual([43, 4]);
        if (one instanceof VersionedAccount) expect(one.version).toBe(3);
      },
    );
  });
});
