import { beforeAll, describe, expect, it } from '@jest/globals';
import { helper, wrap } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import {
  aStrategyWorld,
  Book,
  Category,
  eachEngine,
  Order,
  OrderLine,
  type PlacedTestTenant,
  Product,
  shopModel,
  Tag,
} from '#libs/testing';
import { findByKey, Money } from '../index.js';

/** What the statement names, and what MikroORM knows of an entity. */
function stateOf(entity: object) {
  const { __schema, __originalEntityData, __loadedProperties } = helper(entity);
  return {
    class: entity.constructor.name,
    values: wrap(entity).toPOJO(),
    schema: __schema,
    stored: __originalEntityData,
    loaded: [...__loadedProperties].toSorted(),
  };
}

describe('findByKey by an EntityManager with a schema', () => {
  eachEngine(
    (engine) => {
      const world = aStrategyWorld(engine, shopModel);
      const tenants: PlacedTestTenant[] = [];
      const ids: Record<string, string>[] = [];

      beforeAll(async () => {
        for (const slug of ['acme', 'globex']) {
          const tenant = await world.aTenant('schema', slug);
          tenants.push(tenant);
          ids.push(await world.as(tenant, (em) => aShop(em, slug)));
        }
      });

      async function aShop(em: SqlEntityManager, name: string): Promise<Record<string, string>> {
        const category = em.create(Category, { name });
        const book = em.create(Book, { sku: 'b-1', name, price: new Money(1, 'EUR'), isbn: '1', category });
        book.tags.add(em.create(Tag, { name }));
        const order = em.create(Order, {});
        const line = em.create(OrderLine, { order, product: book, quantity: 1 });
        await em.flush();
        return { category: category.id, book: book.id, line: line.id };
      }

      const at = <T>(n: 0 | 1, work: (em: SqlEntityManager, ids: Record<string, string>) => Promise<T>) =>
        world.as(tenants[n] as PlacedTestTenant, (em) => work(em.fork() as SqlEntityManager, ids[n] ?? {}));

      const find = (em: SqlEntityManager, entity: typeof Product, n: 0 | 1, row = 'book') =>
        findByKey(em, entity, { tenantId: tenants[n]?.id, id: ids[n]?.[row] }) as Promise<Book | null | undefined>;

      /** The texts that `work` sends. */
      async function textsOf(em: SqlEntityManager, work: () => Promise<unknown>): Promise<string[]> {
        const texts: string[] = [];
        const connection = em.getConnection() as unknown as { executeQuery(...args: unknown[]): unknown };
        const { executeQuery } = connection;
        connection.executeQuery = (...args) => {
          texts.push(String(args[0]));
          return executeQuery.apply(connection, args);
        };
        await work();
        connection.executeQuery = executeQuery;
        return texts;
      }

      it.each([
        ['a plain entity', Category, 'category'],
        ['an entity with references', OrderLine, 'line'],
        ['a class-table entity by its base class', Product, 'book'],
        ['a class-table entity by its own class', Book, 'book'],
      ] as [string, typeof Product, string][])(
        'gives exactly the entity that em.findOne gives: %s',
        async (_, entity, row) => {
          for (const n of [0, 1, 0, 1] as const) {
            await at(n, async (em) => {
              const found = await find(em, entity, n, row);
              const stock = await em.fork().findOneOrFail(entity, { id: ids[n]?.[row] } as never, { flags: [] });
              expect(stateOf(found as object)).toEqual(stateOf(stock));
              expect(await textsOf(em, () => em.flush())).toEqual([]);
            });
          }
        },
      );

      it('sends one statement, in which every table is in the schema of this EntityManager', async () => {
        for (const n of [0, 1] as const) {
          const { schemaName = '' } = tenants[n]?.placement ?? {};
          await at(n, async (em) => {
            const [text = '', ...more] = await textsOf(em, async () =>
              expect(await find(em, Product, n)).toBeInstanceOf(Book),
            );
            expect(more).toEqual([]);
            const tables = [...text.matchAll(/\b(?:from|join) (\S+)/g)].map(([, table]) => String(table));
            expect(tables.length).toBeGreaterThan(1);
            for (const table of tables) expect(table.replaceAll(/["`]/g, '')).toMatch(new RegExp(`^${schemaName}\\.`));
          });
        }
      });

      it('finds nothing of another schema', async () => {
        await at(0, async (em) => {
          expect(await em.findOne(Product, { id: ids[1]?.book } as never)).toBeNull();
          // A key of another tenant is not for the short way.
          expect(await find(em, Product, 1)).toBeUndefined();
        });
      });

      it('manages what it found: the next read is the same object, a change is written, references load', async () => {
        await at(0, async (em) => {
          const book = (await find(em, Product, 0)) as Book;
          expect(await find(em, Product, 0)).toBeUndefined();
          expect(await em.findOne(Product, { id: book.id } as never)).toBe(book);
          expect((await book.category?.loadOrFail())?.name).toBe('acme');
          expect((await book.tags.loadItems()).map(({ name }) => name)).toEqual(['acme']);
          book.name = 'changed';
          await em.flush();
          expect(await em.fork().findOneOrFail(Product, { id: book.id } as never)).toMatchObject({ name: 'changed' });
        });
      });
    },
    ['mysql', 'mariadb', 'postgresql'],
  );
});
