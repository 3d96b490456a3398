import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type EntityName, helper, wrap } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { aDatabase, aTenant, eachEngine, type SuiteDatabase } from '#libs/testing';
import { findByKey } from '../index.js';
import { Car, Elsewhere, Place, Truck, Vehicle } from './entity-maker.fixture.js';

const { id: tenantId } = aTenant();

/** What an entity holds, and what MikroORM compares it with. */
function stateOf(entity: object) {
  const { __originalEntityData, __loadedProperties } = helper(entity);
  const loaded = [...__loadedProperties].toSorted();
  return { values: wrap(entity).toPOJO(), json: JSON.stringify(entity), stored: __originalEntityData, loaded };
}

/** A full row, one of false and nothing, and an empty one, of both classes. */
async function addRows(em: SqlEntityManager): Promise<string[]> {
  const home = em.create(Place, { tenantId, name: 'here' });
  const other = em.create(Place, { tenantId, name: 'there' });
  await em.flush();
  const car = { isOld: true, isFast: true, home, garage: other, madeAt: new Date('2026-03-29T01:30:00.123Z') };
  const truck = { ...car, isFull: true, target: home, sentAt: new Date(1), grams: 2n ** 60n + 1n };
  const no = { isOld: false, isFast: false };
  const rows: [typeof Truck | typeof Car, object][] = [
    [Truck, truck],
    [Car, car],
    [Truck, { ...no, isFull: false, target: other }],
    [Car, { ...no, garage: home }],
    [Truck, {}],
    [Car, {}],
  ];
  const made = rows.map(([entity, values]) => em.create(entity, { tenantId, ...values } as never) as Vehicle);
  await em.flush();
  return made.map(({ id }) => id);
}

describe('EntityMaker', () => {
  eachEngine((engine) => {
    // Two of them, as with shards: MikroORM's metadata stands on the classes, and is that of the last.
    const databases = [0, 1].map(() => aDatabase(engine, [Place, Vehicle, Car, Truck]));
    const [first, last] = databases as [SuiteDatabase, SuiteDatabase];
    const ids: string[][] = [];

    beforeAll(async () => {
      for (const database of databases) ids.push(await addRows(database.fork()));
    });

    const cases = ([Vehicle, Car, Truck] as (typeof Car)[]).flatMap((entity) => [
      ['a full one', entity.name, entity, 0] as const,
      ['an empty one', entity.name, entity, 1] as const,
    ]);

    it.each(cases)(
      'makes of every row what em.findOne makes, having learned from %s of %s',
      async (_, __, entity, n) => {
        const database = n === 0 ? first : last;
        const inOrder = n === 0 ? (ids[n] as string[]) : (ids[n] as string[]).toReversed();
        const name: EntityName<object> = entity;
        for (const isLearned of [false, true]) {
          for (const id of inOrder) {
            const stock = await database.fork().findOne(name, { tenantId, id } as never);
            const em = database.fork();
            const made = jest.spyOn(em.getEntityFactory(), 'create');
            const found = await findByKey(em, name, { tenantId, id });
            if (isLearned) expect(made).not.toHaveBeenCalled();
            expect(found && stateOf(found)).toEqual(stock && stateOf(stock));
            if (found) expect(found.constructor).toBe(stock?.constructor);
            em.getUnitOfWork().computeChangeSets();
            expect(em.getUnitOfWork().getChangeSets()).toEqual([]);
          }
        }
      },
    );

    it('keeps nothing of the row it has learned from, nor of its EntityManager', async () => {
      const reads = async () => {
        const em = first.fork();
        const [place] = await first.fork().find(Place, { tenantId });
        expect(await findByKey(em, Place, { tenantId, id: place?.id })).toBeInstanceOf(Place);
        return new WeakRef(em);
      };
      const em = await reads();
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc') as () => void;
      for (let n = 0; n < 50 && em.deref(); n++) {
        await sleep(10);
        collect();
      }
      // Not the object: a failure would print it.
      expect(em.deref() === undefined).toBe(true);
    });
  });

  eachEngine(
    (engine) => {
      const database = aDatabase(engine, [Elsewhere]);

      it('knows an entity whose schema is another one than that of its EntityManager', async () => {
        const em = database.fork();
        const one = em.create(Elsewhere, { tenantId, name: 'one' });
        await em.flush();
        const other = em.create(Elsewhere, { tenantId, name: 'other', other: one } as never);
        await em.flush();
        for (let n = 0; n < 2; n++) {
          const em = database.orm.em.fork({ schema: 'public' }) as SqlEntityManager;
          const find = ({ id }: Elsewhere) => findByKey(em, Elsewhere, { tenantId, id }) as Promise<Elsewhere>;
          const found = await find(one);
          const both = await Promise.all([find(other), find(other)]);
          expect(both[0] === both[1]).toBe(true);
          expect(both[0]?.other?.unwrap() === found).toBe(true);
          found.name = `changed ${n}`;
          expect((await find(one)) === found).toBe(true);
          await em.flush();
          expect(await database.fork().findOneOrFail(Elsewhere, { tenantId, id: one.id })).toMatchObject({
            name: `changed ${n}`,
          });
        }
      });
    },
    ['postgresql'],
  );
});
