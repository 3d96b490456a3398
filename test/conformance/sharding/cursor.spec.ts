import { beforeEach, describe, expect, it } from '@jest/globals';
import { raw } from '@mikro-orm/core';
import { FanOutUnsupportedError, ForeignEntityError, InvalidShardCursorError } from '#libs/sharding';
import { CONTINENTS, eachLayout, itApart, seedWeather } from './layouts.js';
import { Location, Report } from './weather.model.js';

describe('pages and streams over shards', () => {
  eachLayout((suite) => {
    beforeEach(() => seedWeather(suite));

    const byCity = { orderBy: { city: 'asc' }, first: 3 } as const;
    const create = () => suite.create({ cursorKey: 'a secret of all processes' });

    it('goes on where the page before ended, whatever came or went before it', async () => {
      const page = await create().findByCursor(Location, byCity);
      expect(page.items.map(({ city }) => city)).toEqual(['London', 'New York', 'Quito']);
      const em = suite.create({ mode: 'multi' });
      em.create(Location, { id: 10, continent: 'europe', city: 'Athens' });
      em.create(Location, { id: 11, continent: 'asia', city: 'Zibo' });
      em.remove((await em.findOne(Location, 3)) as Location);
      for (const report of await em.find(Report, { location: { continent: 'europe' } })) em.remove(report);
      await em.flush();
      const next = await create().findByCursor(Location, { ...byCity, after: page.cursor });
      expect(next.items.map(({ city }) => city)).toEqual(['Tokyo', 'Zibo']);
      expect(next.cursor).toBeNull();
    });

    it('keeps apart rows of two shards that have everything in common, their keys included', async () => {
      for (const id of suite.registry.ids) {
        await suite.registry.entityManager(id).nativeUpdate(Report, {}, { temperature: '1.00', reportedAt: null });
      }
      const seen: (string | undefined)[] = [];
      const query = { orderBy: { temperature: 'desc', reportedAt: 'asc' }, first: 1 } as const;
      let after: string | null = null;
      do {
        const em = create();
        const page = (await em.findByCursor(Report, { ...query, after })) as { items: Report[]; cursor: string | null };
        seen.push(...page.items.map((report) => em.shardOf(report)));
        after = page.cursor;
      } while (after);
      expect(seen.toSorted()).toEqual(CONTINENTS.map((continent) => suite.at(continent)).toSorted());
    });

    it('asks each shard once a page, and only those that the condition concerns', async () => {
      const where = { continent: { $in: ['asia', 'europe'] } };
      const em = create();
      let page = await em.findByCursor(Location, { where, first: 1 });
      const statements = await suite.statementsOf(async () => {
        page = await em.findByCursor(Location, { where, first: 1, after: page.cursor });
      });
      expect(statements).toEqual(suite.sent({ asia: 1, europe: 1 }));
      expect(page.items.map(({ city }) => city)).toEqual(['London']);
    });

    it('refuses, before any SQL, a cursor that is not of this query and this key', async () => {
      const { cursor } = (await create().findByCursor(Location, byCity)) as { cursor: string };
      const [text = '', signature = ''] = cursor.split('.');
      const forged = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(text, 'base64url').toString()), p: [] }));
      const where = { continent: 'asia' };
      const statements = await suite.statementsOf(async () => {
        const calls = [
          create().findByCursor(Location, { ...byCity, after: `${forged.toString('base64url')}.${signature}` }),
          create().findByCursor(Location, { ...byCity, after: text }),
          create().findByCursor(Location, { ...byCity, after: '' }),
          create().findByCursor(Location, { ...byCity, after: 7 as never }),
          create().findByCursor(Location, { ...byCity, after: `${cursor}.${signature}` }),
          create().findByCursor(Location, { ...byCity, after: 'x'.repeat(100_000) }),
          suite.create().findByCursor(Location, { ...byCity, after: cursor }),
          create().findByCursor(Location, { ...byCity, orderBy: { city: 'desc' }, after: cursor }),
          create().findByCursor(Location, { ...byCity, orderBy: { id: 'asc' }, after: cursor }),
          create().findByCursor(Location, { ...byCity, where, after: cursor }),
          create().findByCursor(Report, { first: 3, after: cursor }),
        ];
        for (const call of calls) await expect(call).rejects.toThrow(InvalidShardCursorError);
      });
      expect(statements).toEqual({});
      expect((await create().findByCursor(Location, { ...byCity, after: cursor })).items).toHaveLength(1);
    });

    itApart(suite, 2, 'refuses, before any SQL, a cursor of other shards', async () => {
      const { cursor } = await create().findByCursor(Location, byCity);
      const statements = await suite.statementsOf(async () => {
        const call = create().findByCursor(Location, { ...byCity, shard: suite.at('asia'), after: cursor });
        await expect(call).rejects.toThrow(InvalidShardCursorError);
      });
      expect(statements).toEqual({});
    });

    it('refuses, before any SQL, what no cursor can continue', async () => {
      const statements = await suite.statementsOf(async () => {
        const em = create();
        const calls = [
          em.findByCursor(Location, { ...byCity, first: 0 }),
          em.findByCursor(Location, { ...byCity, first: 1.5 }),
          em.findByCursor(Location, { ...byCity, limit: 3 } as never),
          em.findByCursor(Location, { ...byCity, where: { [raw('1 = 1')]: [] } as never }),
          em.findByCursor(Report, { orderBy: { location: { city: 'asc' } }, first: 1 }),
          em.stream(Location, { offset: 3 } as never).next(),
          em.stream(Location, { chunkSize: 0 }).next(),
        ];
        for (const call of calls) await expect(call).rejects.toThrow(FanOutUnsupportedError);
      });
      expect(statements).toEqual({});
    });

    it('gives out no cursor that it would not take back', async () => {
      const em = suite.create({ mode: 'multi' });
      const long = async (characters: number) => {
        for (const location of await em.find(Location, {})) location.notes = 'ä'.repeat(characters);
        await em.flush();
      };
      const query = { orderBy: { notes: 'asc' }, populate: ['notes'], first: 3 } as const;
      // A position for each of three stations or of fewer shards, in which each letter takes two bytes, in base64.
      const positions = Math.min(3, suite.count);
      await long(5_600 / positions);
      const page = await create().findByCursor(Location, query);
      expect((await create().findByCursor(Location, { ...query, after: page.cursor })).items).toHaveLength(1);
      await long(6_300 / positions);
      await expect(create().findByCursor(Location, query)).rejects.toThrow(FanOutUnsupportedError);
      // What needs no cursor is read whatever it is ordered by.
      expect((await create().findByCursor(Location, { ...query, first: 4 })).items).toHaveLength(4);
    });

    it('streams in order, a chunk of each shard at a time, and stops asking when its reader has enough', async () => {
      const em = suite.create({ mode: 'multi' });
      for (let id = 100; id < 120; id++) em.create(Location, { id, continent: id % 2 ? 'asia' : 'europe' });
      await em.flush();
      const where = { id: { $gte: 100 } };
      const ids: number[] = [];
      const statements = await suite.statementsOf(async () => {
        for await (const { id } of create().stream(Location, { where, orderBy: { id: 'desc' }, chunkSize: 4 })) {
          ids.push(id);
          if (ids.length === 6) break;
        }
      });
      expect(ids).toEqual([119, 118, 117, 116, 115, 114]);
      // Six rows are one chunk each of two shards, and two of a single one.
      expect(statements).toEqual(suite.sentToEach(suite.count > 1 ? 1 : 2));
    });

    it('streams objects that belong to no unit of work, and can be brought into one', async () => {
      const em = create();
      for await (const location of em.stream(Location, { where: { continent: 'asia' } })) {
        location.city = 'Edo';
        expect(() => em.persist(location)).toThrow(ForeignEntityError);
        const known = await em.merge(location);
        expect(em.shardOf(known)).toBe(suite.at('asia'));
      }
      expect(await suite.statementsOf(() => em.flush())).toEqual(suite.sent({ asia: 1 }));
      expect((await suite.create().findOne(Location, 2))?.city).toBe('Edo');
    });
  });
});
