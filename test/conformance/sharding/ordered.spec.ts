import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { EventArgs, EventSubscriber } from '@mikro-orm/core';
import { CONTINENTS, type Continent, eachLayout, seedWeather } from './layouts.js';
import { Instrument, Location, Report } from './weather.model.js';

/** Notes every object that is made of a row. */
class LoadEar implements EventSubscriber {
  readonly loaded: unknown[] = [];
  isListening = true;

  /** Done to every object that is made. */
  change: ((location: Location) => void) | undefined;

  onLoad({ entity }: EventArgs<object>): void {
    if (!this.isListening) return;
    this.loaded.push((entity as Location).id);
    this.change?.(entity as Location);
  }
}

describe('an ordered find over shards', () => {
  eachLayout((suite) => {
    let ear: LoadEar;

    beforeEach(async () => {
      await seedWeather(suite);
      const em = suite.create({ mode: 'multi' });
      for (let id = 10; id < 30; id++) em.create(Location, { id, continent: CONTINENTS[id % 4] as string });
      await em.flush();
      ear = new LoadEar();
      for (const { orm } of suite.registry.all()) orm.em.getEventManager().registerSubscriber(ear);
    });

    afterEach(() => {
      ear.isListening = false;
    });

    it('makes objects of those rows alone that are part of the answer', async () => {
      const em = suite.create();
      const options = { orderBy: { id: 'desc' }, offset: 2, limit: 3 } as const;
      let found: Location[] = [];
      const statements = await suite.statementsOf(async () => {
        found = await em.find(Location, {}, options);
      });
      expect(found.map(({ id }) => id)).toEqual([27, 26, 25]);
      expect(ear.loaded.toSorted()).toEqual([25, 26, 27]);
      expect(statements).toEqual(suite.sentToEach());
      expect(await em.findOne(Location, 26)).toBe(found[1]);
    });

    it('loads relations for those alone', async () => {
      let found: Location[] = [];
      const options = { orderBy: { id: 'asc' }, limit: 2, populate: ['reports'], strategy: 'select-in' } as const;
      const statements = await suite.statementsOf(async () => {
        found = await suite.create().find(Location, {}, options);
      });
      expect(found.map(({ reports }) => reports.getItems().map(({ temperature }) => Number(temperature)))).toEqual([
        [0.5],
        [1.5],
      ]);
      expect(statements).toEqual({ ...suite.sentToEach(), ...suite.sent({ north_america: 2, asia: 2 }) });
    });

    it('loads many-to-many relations, by either strategy', async () => {
      const em = suite.create({ mode: 'multi' });
      for (const { id, continent, instruments } of await em.find(Location, { id: { $lte: 4 } })) {
        for (const n of [0, 1]) instruments.add(em.create(Instrument, { id: id * 10 + n, continent, name: `${n}` }));
      }
      await em.flush();
      for (const strategy of ['select-in', 'joined'] as const) {
        const options = { orderBy: { id: 'asc' }, limit: 3, populate: ['instruments'], strategy } as const;
        const found = await suite.create().find(Location, {}, options);
        const ids = found.map(({ instruments }) => instruments.getIdentifiers().toSorted());
        expect(ids).toEqual([1, 2, 3].map((id) => [id * 10, id * 10 + 1]));
      }
    });

    it('gives one object for a row that a join repeats, and its whole collection', async () => {
      const em = suite.create({ mode: 'multi' });
      for (const location of await em.find(Location, { id: { $lte: 4 } })) {
        for (let n = 0; n < 3; n++) em.create(Report, { id: location.id * 10 + n, location, temperature: `${n}.00` });
      }
      await em.flush();
      const where = { reports: { temperature: { $gte: '0.00' } } };
      for (const limit of [undefined, 3]) {
        const found = await suite.create().find(Location, where, { orderBy: { city: 'asc' }, limit });
        expect(found.map(({ city }) => city)).toEqual(['London', 'New York', 'Quito', 'Tokyo'].slice(0, limit));
        const joined = { orderBy: { city: 'asc' }, limit, populate: ['reports'], strategy: 'joined' } as const;
        const whole = await suite.create().find(Location, where, joined);
        expect(whole.map(({ reports }) => reports.length)).toEqual([4, 4, 4, 4].slice(0, limit));
      }
    });

    it('places an object that is loaded already where the database has its row by now', async () => {
      const em = suite.create();
      const tokyo = (await em.findOne(Location, 2)) as Location;
      await suite.create().nativeUpdate(Location, { id: 2 }, { city: 'Abuja' }, { mode: 'multi' });
      const found = await em.find(Location, { id: { $lte: 4 } }, { orderBy: { city: 'asc' }, limit: 1 });
      expect(found).toEqual([tokyo]);
      expect(found[0]).toBe(tokyo);
    });

    it('makes objects of a page behind a cursor alone, and goes on behind its rows, whatever objects say', async () => {
      // Beside London on its shard, and before what the object says.
      await suite.create().nativeUpdate(Location, { id: 14 }, { city: 'Madrid' }, { mode: 'multi' });
      ear.change = (location) => {
        location.city = 'withheld';
      };
      const create = () => suite.create({ cursorKey: 'of both units of work' });
      const query = { where: { id: { $in: [1, 2, 3, 4, 14] } }, orderBy: { city: 'asc' } } as const;
      const first = await create().findByCursor(Location, { ...query, first: 1 });
      expect(first.items.map(({ id, city }) => [id, city])).toEqual([[3, 'withheld']]);
      const rest = await create().findByCursor(Location, { ...query, first: 3, after: first.cursor });
      expect(rest.items.map(({ id }) => id)).toEqual([14, 1, 4]);
      expect(ear.loaded).toHaveLength(4);
    });

    it('orders by a lazy property that is asked for', async () => {
      const em = suite.create({ mode: 'multi' });
      for (const location of await em.find(Location, {})) location.notes = `${(location.id * 7) % 30}`.padStart(2, '0');
      await em.flush();
      const options = { orderBy: { notes: 'desc' }, populate: ['notes'] } as const;
      const [first, second] = await suite.create().find(Location, {}, { ...options, limit: 2 });
      expect([first?.id, second?.id]).toEqual([17, 4]);
      const { items } = await suite.create().findByCursor(Location, { ...options, first: 2 });
      expect(items.map(({ notes }) => notes)).toEqual(['29', '28']);
    });

    it('fills up with rows of the others when a shard is lost while relations are loaded', async () => {
      await suite.registry.entityManager('shard-1').execute('alter table report rename to report_away');
      try {
        const options = { orderBy: { id: 'asc' }, limit: 2, populate: ['reports'], strategy: 'select-in' } as const;
        const { rows, missing } = await suite.create().findPartial(Location, { id: { $lte: 4 } }, options);
        const others = [1, 2, 3, 4].filter((id) => suite.at(CONTINENTS[id - 1] as Continent) !== 'shard-1');
        expect(rows.map(({ id }) => id)).toEqual(others.slice(0, 2));
        expect(missing.map(({ id }) => id)).toEqual(['shard-1']);
      } finally {
        await suite.registry.entityManager('shard-1').execute('alter table report_away rename to report');
      }
    });
  });
});
