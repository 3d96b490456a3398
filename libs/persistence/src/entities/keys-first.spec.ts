import { describe, expect, it } from '@jest/globals';
import { ref } from '@mikro-orm/core';
import { aDatabase, aTenant, eachEngine } from '#libs/testing';
import { Boat, Dock, Vessel } from './keys-first.fixture.js';

describe('a child table with a relation that shares the tenant', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, [Dock, Vessel, Boat]);

    /** Where boats are, by name; each must have both of its rows. */
    async function docksOf(tenantId: string) {
      const rows = await database.fork().execute('select tenant_id from boat where tenant_id = ?', [tenantId]);
      const boats = await database.fork().find(Boat, { tenantId });
      expect(rows).toHaveLength(boats.length);
      return Object.fromEntries(boats.map(({ name, dock }) => [name, dock?.id ?? null]));
    }

    it('belongs to a tenant in the database, too', async () => {
      const ddl = await database.orm.schema.getCreateSchemaSQL();
      const [, boat = ''] = /create table .boat. \((.*?), primary key/.exec(ddl) ?? [];
      expect(boat.replaceAll(/["`]/g, '')).toMatch(/^tenant_id \S+ not null, id \S+ not null, dock_id \S+ null$/);
    });

    it.each([
      ['one row', ['at sea']],
      ['several rows', ['docked', 'at sea', 'docked too']],
      ['several rows, of which the first points to nothing', ['at sea', 'docked']],
    ])('takes %s, which may move', async (_, names) => {
      const { id: tenantId } = aTenant();
      const em = database.fork();
      const dock = em.create(Dock, { tenantId, name: 'here' });
      await em.flush();
      const boats = names.map((name) =>
        em.create(Boat, { tenantId, name, dock: name === 'at sea' ? null : dock } as never),
      );
      await em.flush();
      const expected = Object.fromEntries(names.map((name) => [name, name === 'at sea' ? null : dock.id]));
      expect(await docksOf(tenantId)).toEqual(expected);
      em.getUnitOfWork().computeChangeSets();
      expect(em.getUnitOfWork().getChangeSets()).toEqual([]);
      for (const boat of boats) boat.dock = boat.dock ? null : ref(dock);
      await em.flush();
      const moved = Object.entries(expected).map(([name, id]) => [name, id ? null : dock.id]);
      expect(await docksOf(tenantId)).toEqual(Object.fromEntries(moved));
    });
  });
});
