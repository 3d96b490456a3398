import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { raw } from '@mikro-orm/core';
import { verifyExport } from '#libs/audit';
import { bulkUpdate } from '#libs/persistence';
import { Tag } from '#libs/testing';
import { eachPlace } from './each-place.js';
import { aSealedWorld, linesOf, type SealedWorld, textOf } from './sealed-world.js';

const reason = 'kept for seven years';

/** A little later than everything so far. */
const soon = () => new Date(Date.now() + 1000);

async function exported({ world, exporter }: SealedWorld): Promise<string> {
  return world.as(() => textOf(exporter.ndjson()));
}

describe('retention', () => {
  eachPlace((strategy, engine) => {
    const aStrictWorld = aSealedWorld(engine, strategy);
    const aWorld = (options = {}) => aStrictWorld({ minRetentionDays: -1, ...options });
    const purge = ({ world, retention }: SealedWorld, before = soon(), dryRun = false) =>
      world.as(() => retention.purge({ before, reason, dryRun }));

    it('purges old entries on record, and verifies as before', async () => {
      const it = await aWorld();
      await it.write(5);
      expect(await purge(it, soon(), true)).toEqual({ purged: 5, held: 0 });
      expect(await it.world.entries()).toHaveLength(5);
      expect(await purge(it)).toEqual({ purged: 5, held: 0 });
      await it.write(1);
      const left = await it.world.entries();
      expect(left.map(({ action }) => action)).toEqual(['audit_purged', 'create']);
      expect(left[0]).toMatchObject({ reason, changes: { entries: { new: 5 } } });
      expect(await it.verify()).toMatchObject({ ok: true, entries: 7, purged: 5 });
      expect(await verifyExport(linesOf(await exported(it)))).toMatchObject({ ok: true, purged: 5 });
    });

    it('is told from a loss by who reads the trail meanwhile', async () => {
      const it = await aWorld();
      await it.write(5);
      const text = await it.world.as(async () => {
        const parts: string[] = [];
        for await (const part of it.exporter.ndjson()) {
          // Behind its head, in front of its places.
          if (parts.push(part) === 1) await it.retention.purge({ before: soon(), reason });
        }
        return parts.join('');
      });
      expect(await verifyExport(linesOf(text))).toMatchObject({ ok: true });
      await it.write(3);
      const { evidence } = it.verifier;
      it.verifier.evidence = async (em) => {
        const found = await evidence.call(it.verifier, em);
        await purge(it);
        return found;
      };
      expect(await it.verify()).toMatchObject({ ok: true });
    });

    it('takes none that are younger than asked for, nor than the rule', async () => {
      const it = await aStrictWorld();
      await it.write(2);
      await expect(purge(it)).rejects.toMatchObject({ code: 'retention_too_short' });
      expect(await purge(it, new Date(Date.now() - 100 * 86_400_000))).toEqual({ purged: 0, held: 0 });
    });

    it('keeps what a legal hold covers, until it is released; both are on record', async () => {
      const it = await aWorld();
      await it.write(3);
      const [, held] = await it.world.entries();
      const scope = { entity: 'Tag', entityId: held?.entityId as string };
      const hold = await it.world.as(() => it.retention.placeHold('case 42', scope));
      expect(await purge(it)).toEqual({ purged: 3, held: 1 });
      expect((await it.world.entries()).map(({ id }) => id)).toContain(held?.id);
      expect(await it.verify()).toMatchObject({ ok: true, purged: 3 });
      await it.world.as(() => it.retention.releaseHold(hold.id));
      await expect(it.world.as(() => it.retention.releaseHold(hold.id))).rejects.toMatchObject({
        code: 'hold_not_found',
      });
      const changes = (await it.world.entries()).filter(({ entityName }) => entityName === 'AuditHold');
      expect(changes.map(({ action }) => action)).toEqual(['update']);
      expect((await purge(it)).purged).toBeGreaterThan(0);
      expect(await it.world.as(() => it.retention.holds())).toEqual([]);
      expect((await it.world.entries()).map(({ id }) => id)).not.toContain(held?.id);
    });

    it('keeps the one entry of a batch for each of its rows', async () => {
      const it = await aWorld({ maxRowEntries: 1 });
      await it.write(3);
      await it.world.as((em) => bulkUpdate(em, Tag, { where: {}, set: { name: raw("concat(name, '!')") } as never }));
      const entityId = (await it.world.entries())[0]?.entityId as string;
      await it.world.as(() => it.retention.placeHold('case 43', { entity: 'Tag', entityId }));
      expect(await purge(it)).toEqual({ purged: 3, held: 2 });
      expect((await it.world.entries()).map(({ action }) => action)).toContain('bulk_update');
    });

    it('grants no hold while a purge is under way that has not seen it', async () => {
      const it = await aWorld();
      await it.write(1);
      const order: string[] = [];
      const outside = AsyncLocalStorage.snapshot();
      let hold: Promise<unknown> | undefined;
      const { record } = it.world.trail;
      jest.spyOn(it.world.trail, 'record').mockImplementationOnce(async (happening) => {
        hold = outside(() => it.world.as(() => it.retention.placeHold('case 44'))).then(() => order.push('hold'));
        await Promise.race([hold, delay(100)]);
        order.push('purge');
        return record.call(it.world.trail, happening);
      });
      await purge(it);
      await hold;
      expect(order).toEqual(['purge', 'hold']);
    });

    it('tells a purge from a loss: a record that is missing, changed or of another tenant does not count', async () => {
      const it = await aWorld();
      await it.write(3);
      await purge(it);
      const own = [it.tenant.id];
      await it.world.execute(
        "update audit_purge set record = replace(record, '[[1,3]]', '[[1,4]]') where tenant_id = ?",
        own,
      );
      expect(await it.verify()).toMatchObject({ ok: false, fault: { kind: 'unsigned', position: 1 } });
      await it.world.execute(
        "update audit_purge set record = replace(record, '[[1,4]]', '[[1,3]]') where tenant_id = ?",
        own,
      );
      expect(await it.verify()).toMatchObject({ ok: true });
      await it.world.execute('delete from audit_purge where tenant_id = ?', own);
      expect(await it.verify()).toMatchObject({ ok: false, fault: { kind: 'missing', position: 1 } });
    });

    it('leaves entries of others alone', async () => {
      const it = await aWorld();
      const tenant = await it.world.another();
      await it.write(1);
      await it.world.write((em) => void em.create(Tag, { name: 'theirs' }), { tenant });
      await purge(it);
      expect(await it.world.entries(tenant)).toHaveLength(1);
    });
  });
});
