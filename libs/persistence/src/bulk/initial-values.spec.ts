import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { Opt } from '@mikro-orm/core';
import { Entity, Property } from '@mikro-orm/decorators/legacy';
import { findContext, runAs } from '#libs/context';
import { aDatabase, aTenant, eachEngine } from '#libs/testing';
import { bulkInsert, bulkUpsert, newId, TenantOwned } from '../index.js';

const DAY_MS = 86_400_000;

/** Its initialisers take values from the context and the clock. */
@Entity({ tableName: 'ticket' })
class Ticket extends TenantOwned {
  @Property({ type: 'string', length: 20 })
  subject!: string;

  @Property({ type: 'string', length: 40 })
  writer: string & Opt = findContext()?.actor?.id ?? 'nobody';

  @Property({ type: 'Date', length: 3 })
  dueAt: Date & Opt = new Date(Date.now() + DAY_MS);
}

describe('initial values of rows that are written in bulk', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, [Ticket]);

    it.each([
      ['bulkInsert', bulkInsert],
      ['bulkUpsert', bulkUpsert],
    ] as const)('are those of the context and the time of each call of %s', async (_, write) => {
      for (const id of ['ann', 'bob']) {
        const tenant = aTenant();
        const before = Date.now();
        const rows = [1, 2].map((n) => ({ id: newId(), subject: `${n}` }));
        await runAs({ tenant, actor: { type: 'user', id } }, async () => {
          const em = database.fork();
          await (write === bulkInsert ? bulkInsert(em, Ticket, rows) : bulkUpsert(em, Ticket, rows, { by: ['id'] }));
        });
        const tickets = await database.fork().find(Ticket, { tenantId: tenant.id });
        expect(tickets.map(({ writer }) => writer)).toEqual([id, id]);
        for (const { dueAt } of tickets) expect(dueAt.getTime()).toBeGreaterThanOrEqual(before + DAY_MS);
        await sleep(5);
      }
    });

    it('are those of the time of each batch of a stream', async () => {
      const tenant = aTenant();
      async function* slowly() {
        for (const subject of ['1', '2']) {
          yield { subject };
          await sleep(20);
        }
      }
      const write = () => bulkInsert(database.fork(), Ticket, slowly(), { batchSize: 1 });
      await runAs({ tenant, actor: { type: 'user', id: 'ann' } }, write);
      const [one, two] = await database.fork().find(Ticket, { tenantId: tenant.id }, { orderBy: { subject: 'asc' } });
      expect(Number(two?.dueAt) - Number(one?.dueAt)).toBeGreaterThanOrEqual(15);
    });
  });
});
