import { describe, expect, it } from '@jest/globals';
import { isConsistent, isIncluded, type TrailFaultKind } from '#libs/audit';
import type { ContextTenant } from '#libs/context';
import { newId } from '#libs/persistence';
import { eachEngine, Tag } from '#libs/testing';
import { eachPlace } from './each-place.js';
import { aSealedWorld, type SealedWorld } from './sealed-world.js';

/** Entries of a case, and the one that is tampered with. */
const SIZE = 7;
const AT = 4;

type Tampering = (it: SealedWorld, id: string, others: readonly string[]) => Promise<unknown>;

const ids = async ({ world }: SealedWorld) => (await world.entries()).map(({ id }) => id as string);

/** Copies an entry as an administrator would: all columns, with some replaced. */
async function copyEntry(
  { world }: SealedWorld,
  id: string,
  replaced: Record<string, string>,
  from?: ContextTenant,
): Promise<void> {
  const found = await world.execute('select * from audit_entry where id = ?', [id], from);
  const [row] = found as Record<string, unknown>[];
  const copy = { ...row, ...replaced };
  const names = Object.keys(copy);
  const values = names.map((name) => copy[name]);
  await world.execute(
    `insert into audit_entry (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`,
    values,
  );
}

async function insertSeal({ world, tenant }: SealedWorld, id: string, position: number): Promise<void> {
  await world.execute('insert into audit_seal (tenant_id, id, position, leaf) values (?, ?, ?, ?)', [
    tenant.id,
    id,
    position,
    Buffer.alloc(32, 7).toString('base64url'),
  ]);
}

const tamperings: Readonly<Record<string, readonly [TrailFaultKind, at: number, Tampering]>> = {
  'a byte of an entry is flipped': [
    'changed',
    AT,
    ({ world }, id) =>
      world.execute("update audit_entry set changes = replace(changes, 'tag', 'tab') where id = ?", [id]),
  ],
  'an actor is replaced': [
    'changed',
    AT,
    ({ world }, id) => world.execute("update audit_entry set actor_id = 'u-2' where id = ?", [id]),
  ],
  'an entry is deleted': [
    'missing',
    AT,
    ({ world }, id) => world.execute('delete from audit_entry where id = ?', [id]),
  ],
  'an entry is deleted with its seal': [
    'missing',
    AT,
    async ({ world }, id) => {
      await world.execute('delete from audit_entry where id = ?', [id]);
      await world.execute('delete from audit_seal where id = ?', [id]);
    },
  ],
  'two entries change places': [
    'changed',
    AT,
    async ({ world }, id, [, , , , other]) => {
      await world.execute('update audit_seal set position = 1000 where id = ?', [id]);
      await world.execute(`update audit_seal set position = ${AT} where id = ?`, [other]);
      await world.execute(`update audit_seal set position = ${AT + 1} where id = ?`, [id]);
    },
  ],
  'the contents of two entries are swapped': [
    'changed',
    AT,
    async ({ world }, id, [, , , , other]) => {
      await world.execute('update audit_entry set id = ? where id = ?', [newId(), id]);
      const spare = newId();
      const [{ id: moved }] = (await world.execute(
        'select id from audit_entry where tenant_id = ? order by id desc limit 1',
        [world.tenant.id],
      )) as [{ id: string }];
      await world.execute('update audit_entry set id = ? where id = ?', [spare, other]);
      await world.execute('update audit_entry set id = ? where id = ?', [other, moved]);
      await world.execute('update audit_entry set id = ? where id = ?', [id, spare]);
    },
  ],
  'the tail is deleted': [
    'cut_off',
    SIZE - 1,
    async ({ world }, _, all) => {
      for (const id of all.slice(-2)) {
        await world.execute('delete from audit_entry where id = ?', [id]);
        await world.execute('delete from audit_seal where id = ?', [id]);
      }
    },
  ],
  'an entry is inserted': ['forged', SIZE + 1, (it, id) => copyEntry(it, id, { id: newId() })],
  'an entry is inserted with a seal': [
    'changed',
    AT,
    async (it, id) => {
      const own = it.tenant.id;
      const forged = newId();
      await copyEntry(it, id, { id: forged });
      // In two steps: positions are unique while they move.
      await it.world.execute(
        `update audit_seal set position = position + 100 where tenant_id = ? and position >= ${AT}`,
        [own],
      );
      await it.world.execute('update audit_seal set position = position - 99 where tenant_id = ? and position > 100', [
        own,
      ]);
      await insertSeal(it, forged, AT);
    },
  ],
  'a seal is appended': [
    'unsigned',
    SIZE + 1,
    async (it, id) => {
      const forged = newId();
      await copyEntry(it, id, { id: forged });
      await insertSeal(it, forged, SIZE + 1);
    },
  ],
  "another tenant's entry is replayed": [
    'forged',
    SIZE + 1,
    async (it) => {
      const other = await it.world.another();
      await it.world.write((em) => void em.create(Tag, { name: 'theirs' }), { tenant: other });
      const [theirs] = await it.world.entries(other);
      await copyEntry(it, theirs?.id as string, { tenant_id: it.tenant.id, id: newId() }, other);
    },
  ],
};

describe('the sealed trail', () => {
  eachPlace((strategy, engine) => {
    const aWorld = aSealedWorld(engine, strategy);

    it('verifies, and counts every entry once', async () => {
      const it = await aWorld();
      await it.write(SIZE);
      expect((await it.seal()).sealed).toBe(SIZE);
      expect((await it.seal()).sealed).toBe(0);
      const verdict = await it.verify();
      expect(verdict).toMatchObject({ ok: true, entries: SIZE, checkpoint: { size: SIZE, tenantId: it.tenant.id } });
      expect(verdict.head).toBe(verdict.checkpoint?.root);
    });

    it('takes in entries from before there were stamps, once', async () => {
      const it = await aWorld();
      await it.write(2);
      await it.world.execute('update audit_entry set stamp = null where tenant_id = ?', [it.tenant.id]);
      expect((await it.seal()).sealed).toBe(2);
      await it.write(1);
      await it.world.execute('update audit_entry set stamp = null where tenant_id = ?', [it.tenant.id]);
      expect(await it.verify()).toMatchObject({ ok: false, fault: { kind: 'forged', position: 3 } });
    });

    it.each(Object.entries(tamperings))('names the position when %s', async (_, [kind, position, tamper]) => {
      const it = await aWorld();
      await it.write(SIZE);
      await it.seal();
      const all = await ids(it);
      await tamper(it, all[AT - 1] as string, all);
      expect(await it.verify()).toMatchObject({ ok: false, fault: { kind, position } });
    });

    it('seals an entry that is committed after entries with higher ids', async () => {
      const it = await aWorld();
      await it.write(3);
      const [late] = await ids(it);
      const rows = (await it.world.execute('select * from audit_entry where id = ?', [late])) as object[];
      await it.world.execute('delete from audit_entry where id = ?', [late]);
      expect((await it.seal()).sealed).toBe(2);
      const [row] = rows as [Record<string, unknown>];
      const names = Object.keys(row);
      await it.world.execute(
        `insert into audit_entry (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`,
        Object.values(row),
      );
      expect((await it.world.as(() => it.sealer.seal({ lookBackMs: 60_000 }))).sealed).toBe(1);
      expect(await it.verify()).toMatchObject({ ok: true, entries: 3 });
    });

    it('proves single entries and former sizes offline, and no forged ones', async () => {
      const it = await aWorld();
      await it.write(5);
      const { checkpoint: kept } = await it.seal();
      await it.write(6);
      for (const id of await ids(it)) {
        const proof = await it.world.as(() => it.proofs.inclusion(id));
        expect(isIncluded(proof)).toBe(true);
        expect(isIncluded({ ...proof, entry: { ...proof.entry, actorId: 'u-2' } as never })).toBe(false);
        expect(isIncluded({ ...proof, position: proof.position === 1 ? 2 : 1 })).toBe(false);
        expect(isIncluded({ ...proof, path: proof.path.slice(1) })).toBe(false);
      }
      const proof = await it.world.as(() => it.proofs.consistency(kept.size));
      expect(isConsistent(kept, proof)).toBe(true);
      expect(isConsistent({ ...kept, root: proof.checkpoint.root }, proof)).toBe(false);
    });

    it('notices a database of yesterday by the checkpoint of today', async () => {
      const it = await aWorld();
      await it.write(3);
      const yesterday = await it.seal();
      const log = (await it.world.execute('select * from audit_log where tenant_id = ?', [it.tenant.id])) as [
        { checkpoint: string; frontier: string },
      ];
      await it.write(2);
      const { checkpoint: today } = await it.seal();
      expect(await it.verify({ against: yesterday.checkpoint })).toMatchObject({ ok: true, entries: 5 });
      for (const id of (await ids(it)).slice(3)) {
        await it.world.execute('delete from audit_entry where id = ?', [id]);
        await it.world.execute('delete from audit_seal where id = ?', [id]);
      }
      const [{ checkpoint, frontier }] = log;
      await it.world.execute('update audit_log set checkpoint = ?, frontier = ? where tenant_id = ?', [
        checkpoint,
        frontier,
        it.tenant.id,
      ]);
      expect(await it.verify()).toMatchObject({ ok: true, entries: 3 });
      expect(await it.verify({ against: today })).toMatchObject({
        ok: false,
        fault: { kind: 'rolled_back', position: 4 },
      });
    });

    it('goes on with a new key, and does not count what a revoked one has signed', async () => {
      const it = await aWorld();
      await it.write(2);
      const first = it.keys.current.activeId;
      const { checkpoint: kept } = await it.seal();
      it.keys.current = it.keys.current.rotate();
      await it.write(1);
      expect(await it.verify({ against: kept })).toMatchObject({ ok: true, entries: 3 });
      it.keys.current = it.keys.current.revoke(first);
      expect(await it.verify()).toMatchObject({ ok: true, entries: 3 });
      expect(await it.verify({ against: kept })).toMatchObject({ ok: false, fault: { kind: 'unsigned', position: 2 } });
    });

    it('takes what another process has written and sealed with a new key that is not known here yet', async () => {
      const it = await aWorld();
      const before = it.keys.current;
      await it.write(1);
      await it.seal();
      it.keys.current = before.rotate();
      await it.write(1);
      it.keys.known = before;
      expect(await it.seal()).toMatchObject({ sealed: 1, refused: [] });
      it.keys.known = before;
      expect(await it.verify()).toMatchObject({ ok: true, entries: 2 });
      it.keys.known = before;
      const { value: head } = await it.world.as(() => it.exporter.ndjson().next());
      expect(head).toContain(it.keys.current.activeId);
    });

    it('seals nothing after an end that was not signed', async () => {
      const it = await aWorld();
      await it.write(2);
      await it.seal();
      await it.world.execute('update audit_log set checkpoint = replace(checkpoint, \'"size":2\', \'"size":1\')');
      await expect(it.seal()).rejects.toMatchObject({ code: 'trail_broken' });
      expect(await it.verify()).toMatchObject({ ok: false, fault: { kind: 'unsigned' } });
    });
  });

  eachEngine((engine) => {
    const aWorld = aSealedWorld(engine);

    it('is clean after 1,000 entries of 16 writers, with two sealers at once', async () => {
      const it = await aWorld();
      const writer = async () => {
        for (let round = 0; round < 9; round++) {
          await it.world.write((em) => {
            for (let index = 0; index < 7; index++) em.create(Tag, { name: newId() });
          });
        }
      };
      let isWriting = true;
      const sealing = async () => {
        while (isWriting) await it.seal();
      };
      const sealers = [sealing(), sealing()];
      await Promise.all(Array.from({ length: 16 }, writer));
      isWriting = false;
      await Promise.all(sealers);
      expect(await it.verify()).toMatchObject({ ok: true, entries: 16 * 9 * 7 });
    });
  });
});
