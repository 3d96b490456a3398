import { describe, expect, it } from '@jest/globals';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { DecimalTextType, getEngine } from '#libs/persistence';
import {
  createShardKeyChoosers,
  FanOutUnsupportedError,
  moduloPlacement,
  type ShardedEntityManager,
} from '#libs/sharding';
import { eachLayout } from './layouts.js';

/** What databases hold and JavaScript has no word, or too few digits, for. Sharded by `shelf`. */
@Entity({ tableName: 'probe' })
class Probe {
  @PrimaryKey({ type: 'integer', autoincrement: false })
  id!: number;

  @Property({ type: 'integer' })
  shelf!: number;

  @Property({ type: 'double', nullable: true })
  weight?: number | null;

  @Property({ type: 'Date', length: 6, nullable: true })
  takenAt?: Date | null;

  @Property({ type: 'Date', length: 3, nullable: true })
  soldAt?: Date | null;

  @Property({ type: DecimalTextType, precision: 10, scale: 2, nullable: true })
  price?: string | null;
}

const ROWS = [0, 1, 2, 3, 4, 5, 6, 7];

describe('an order over shards', () => {
  eachLayout(
    (suite) => {
      const names = () => suite.registry.ids.map((id) => getEngine(suite.registry.definition(id).url).name);
      const create = (): ShardedEntityManager =>
        suite.create({
          mode: 'multi',
          ...createShardKeyChoosers({
            placement: moduloPlacement(suite.registry.ids),
            keys: [{ entity: Probe, property: 'shelf' }],
          }),
        });
      /** Two rows on each shelf; sets one column as the shard's engine writes it, unless that has no such value. */
      const seed = async (column: string, valueOn: (id: number, engine: string) => string | undefined) => {
        const seeded: number[] = [];
        for (const id of ROWS) {
          const at = (id >> 1) % suite.count;
          const value = valueOn(id, names()[at] as string);
          if (value === undefined) continue;
          const em = suite.registry.entityManager(suite.registry.ids[at] as string);
          await em.execute(`insert into probe (id, shelf, ${column}) values (${id}, ${id >> 1}, ${value})`);
          seeded.push(id);
        }
        return seeded;
      };
      const idsOf = (rows: readonly Probe[]) => rows.map(({ id }) => id);

      it('keeps rows of infinite numbers apart, and goes on behind none', async () => {
        const infinity = { sqlite: '9e999', postgresql: "'infinity'" } as Record<string, string>;
        const seeded = await seed('weight', (_, engine) => infinity[engine]);
        const options = { orderBy: { weight: 'desc' } } as const;
        expect(idsOf(await create().find(Probe, {}, options))).toEqual(seeded);
        if (seeded.length === 0) return;
        const page = create().findByCursor(Probe, { ...options, first: 1 });
        await expect(page).rejects.toThrow(FanOutUnsupportedError);
        const stream = create().stream(Probe, { ...options, chunkSize: 1 });
        const readAll = async () => {
          for await (const { id } of stream) expect(seeded).toContain(id);
        };
        await expect(readAll()).rejects.toThrow(FanOutUnsupportedError);
      });

      it('refuses to tell times apart that are finer than milliseconds', async () => {
        if (suite.count > 1) {
          const ordered = create().find(Probe, {}, { orderBy: { takenAt: 'asc' } });
          await expect(ordered).rejects.toThrow(FanOutUnsupportedError);
        }
        for (const query of [{ groupBy: ['takenAt'] }, { select: { times: { countDistinct: 'takenAt' } } }] as const) {
          await expect(create().aggregate(Probe, query as never)).rejects.toThrow(FanOutUnsupportedError);
        }
      });

      it('loses no row at the ends of time', async () => {
        const seeded = await seed('sold_at', (_, engine) => (engine === 'postgresql' ? "'infinity'" : undefined));
        expect(idsOf(await create().find(Probe, {}, { orderBy: { soldAt: 'asc' } }))).toEqual(seeded);
      });

      it('is that of each database for decimals kept as text, and refused where databases differ', async () => {
        await seed('price', (id) => `'${id + 6}.00'`);
        const options = { orderBy: { price: 'asc' }, limit: 5 } as const;
        const isText = new Set(names().map((name) => name === 'sqlite'));
        const found = create().find(Probe, {}, options);
        if (isText.size > 1) return expect(found).rejects.toThrow(FanOutUnsupportedError);
        const bySize = ROWS.map((id) => `${id + 6}.00`);
        const expected = isText.has(true) ? bySize.toSorted() : bySize;
        expect((await found).map(({ price }) => price)).toEqual(expected.slice(0, 5));
      });
    },
    [Probe],
  );
});
