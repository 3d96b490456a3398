import { beforeAll, describe, expect, it } from '@jest/globals';
import { AuditReconciler, dropWitnessSql, type UnrecordedChange, WitnessesMissingError, witnessSql } from '#libs/audit';
import { bulkDelete, bulkInsert, bulkUpdate, CurrentEntityManager } from '#libs/persistence';
import { Book, Category, eachEngine, Order, OrderLine, Tag } from '#libs/testing';
import { Account, SearchTerm } from './audit.model.js';
import { type AuditWorld, anAuditWorld } from './audit-world.js';
import { aBook } from './cases/changes.cases.js';

const reconcile = (world: AuditWorld): Promise<readonly UnrecordedChange[]> =>
  world.as((em) => {
    class Current extends CurrentEntityManager {
      override get = () => em;
    }
    return new AuditReconciler(new Current(), world.trail).reconcile();
  });

const summary = (changes: readonly UnrecordedChange[]) =>
  changes.map(({ operation, table, entityId }) => [operation, table, entityId]);

describe('witnesses', () => {
  eachEngine((engine) => {
    const aWorld = anAuditWorld(engine, { recorder: { maxRowEntries: 3, onFailure: 'log' } });

    if (engine.name !== 'postgresql') {
      it('are there on PostgreSQL alone, and nobody says that nothing happened', async () => {
        await expect(reconcile(await aWorld())).rejects.toThrow(WitnessesMissingError);
      });
      return;
    }

    beforeAll(async () => {
      const world = await aWorld();
      await expect(reconcile(world)).rejects.toThrow(WitnessesMissingError);
      const metadata = world.database.orm.getMetadata();
      // Twice: it may run again after tables have changed.
      for (const sql of [...witnessSql(metadata), ...witnessSql(metadata)]) await world.execute(sql);
    });

    it('note nothing of what the application writes, in whatever way', async () => {
      const world = await aWorld();
      await world.as(async (em) => {
        const book = aBook(em);
        book.tags.add(em.create(Tag, { name: 'one' }), em.create(Tag, { name: 'two' }));
        const order = em.create(Order, {});
        order.lines.add(em.create(OrderLine, { order, product: book, quantity: 1 }));
        await em.flush();
        await em.transactional(async (outer) => {
          (await outer.findOneOrFail(Book, { id: book.id } as never)).isbn = '979';
          await outer.flush();
          await outer.transactional(async (inner) => void inner.create(Category, { name: 'in a savepoint' }), {
            clear: true,
          });
        });
        order.lines.removeAll();
        book.tags.removeAll();
        await em.flush();
        em.remove(book);
        const account = em.create(Account, { name: 'Acme' });
        await em.flush();
        account.lastSeenAt = new Date();
        em.create(SearchTerm, { term: 'not audited' });
        await em.flush();
        await bulkInsert(em, Tag, [{ name: 'a' }, { name: 'b' }]);
        await bulkUpdate(em, Tag, { where: { name: 'a' }, set: { name: 'c' } });
        await bulkDelete(em, Tag, { where: { name: 'b' } });
      });
      expect(await reconcile(world)).toEqual([]);
    });

    it('name every row that is changed past the application, and who did it', async () => {
      const world = await aWorld();
      const { book, tag } = await world.write((em) => {
        const own = aBook(em);
        const linked = em.create(Tag, { name: 'one' });
        own.tags.add(linked);
        return { book: own.id, tag: linked.id };
      });
      const own = world.tenant.id;
      await world.execute('update product set name = ? where id = ?', ['forged', book]);
      await world.execute('update book set isbn = ? where id = ?', ['forged', book]);
      await world.execute('update tag set name = name where id = ?', [tag]);
      await world.execute('delete from product_tag where product_id = ?', [book]);
      await world.execute('insert into tag (tenant_id, id, name) values (?, ?, ?)', [own, own, 'forged']);
      await world.execute('delete from tag where id = ?', [tag]);
      await world.execute('update account set last_seen_at = now() where tenant_id = ?', [own]);
      const changes = await reconcile(world);
      expect(summary(changes)).toEqual([
        ['update', 'product', book],
        ['update', 'book', book],
        ['delete', 'product_tag', book],
        ['insert', 'tag', own],
        ['delete', 'tag', tag],
      ]);
      expect(changes[0]).toMatchObject({
        entityNames: expect.arrayContaining(['Book']),
        dbUser: expect.any(String),
        at: expect.any(Date),
        explainedBy: null,
      });
    });

    it('name a forged row beside recorded ones of the same transaction time, and only to its tenant', async () => {
      const [world, other] = [await aWorld(), await aWorld()];
      const { id } = await world.write((em) => em.create(Tag, { name: 'one' }));
      await world.write(
        async (em) => void Object.assign(await em.findOneOrFail(Tag, { id } as never), { name: 'two' }),
      );
      await world.execute('update tag set name = ? where id = ?', ['forged', id]);
      expect(summary(await reconcile(world))).toEqual([['update', 'tag', id]]);
      expect(await reconcile(other)).toEqual([]);
    });

    it('have bulk entries, gaps and pauses explain what they stand for', async () => {
      const world = await aWorld();
      const rows = Array.from({ length: 4 }, (_, row) => ({ name: `tag ${row}` }));
      await world.as((em) => bulkInsert(em, Tag, rows));
      await world.as((em) =>
        world.pause.run('repair', async () => {
          em.create(Category, { name: 'unrecorded' });
          await em.flush();
        }),
      );
      const changes = await reconcile(world);
      expect(changes).toHaveLength(5);
      for (const { explainedBy } of changes) expect(explainedBy).toEqual(expect.any(String));
    });

    it('notice a table that is emptied, and go when they are told to', async () => {
      const world = await aWorld();
      await world.execute('truncate product_tag');
      expect(summary(await reconcile(world))).toContainEqual(['truncate', 'product_tag', null]);
      for (const sql of dropWitnessSql(world.database.orm.getMetadata())) await world.execute(sql);
      const before = (await reconcile(world)).length;
      await world.execute('insert into tag (tenant_id, id, name) values (?, ?, ?)', [
        world.tenant.id,
        world.tenant.id,
        'x',
      ]);
      expect(await reconcile(world)).toHaveLength(before);
    });
  });
});
