import { randomBytes } from 'node:crypto';
import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { type Actor, type ContextTenant, runAs } from '#libs/context';
import { Money } from '#libs/persistence';
import { aTenant, Book, CardPayment, Category, Electronic, Order, OrderLine, Tag } from '#libs/testing';

const actor: Actor = { id: 'isolation', type: 'system' };

/** Runs `fn` as `tenant`. */
export function as<T>(tenant: ContextTenant, fn: () => T | Promise<T>): Promise<T> {
  return runAs({ tenant, actor }, fn);
}

/** One tenant's rows. Every text that a tenant writes holds the canary, which nothing else in the world does. */
export interface Shop {
  readonly tenant: ContextTenant;
  readonly canary: string;
  readonly category: string;
  readonly book: string;
  readonly electronic: string;
  readonly tag: string;
  readonly order: string;
  readonly line: string;
  readonly payment: string;
}

/** A key as MikroORM knows it, tenant included: what an attacker would use who knows everything but the guard. */
export function keyOf(shop: Shop, of: Exclude<keyof Shop, 'tenant' | 'canary'>): [string, string] {
  return [shop.tenant.id, shop[of]];
}

/** An entity that is only said to be there, past what `getReference` looks at: at the place of the EntityManager. */
export function made<E extends object>(em: SqlEntityManager, entity: EntityClass<E>, key: [string, string]): E {
  return em.getEntityFactory().createReference(entity, key as never, { merge: true, schema: em.schema }) as E;
}

/** Sees all rows as they lie there: EntityManagers that nothing guards, at a tenant's place. */
export interface Witness {
  fork(tenant: ContextTenant): SqlEntityManager;
}

/** Opens a shop through an EntityManager that nothing guards. */
export async function aShop(witness: Witness, slug: string, tenant: ContextTenant = aTenant(slug)): Promise<Shop> {
  const canary = `canary-${slug}-${randomBytes(6).toString('hex')}`;
  const price = new Money(4999, 'EUR');
  return as(tenant, async () => {
    const em = witness.fork(tenant);
    const category = em.create(Category, { name: canary });
    const product = { name: canary, price, labels: [canary], attributes: { note: canary }, category };
    const book = em.create(Book, { ...product, sku: `book-${canary}`, isbn: canary.slice(-20) });
    const electronic = em.create(Electronic, { ...product, sku: `radio-${canary}`, warrantyMonths: 24 });
    const tag = em.create(Tag, { name: canary });
    book.tags.add(tag);
    const order = em.create(Order, {});
    const line = em.create(OrderLine, { order, product: book, quantity: 1 });
    const payment = em.create(CardPayment, { amount: price, lastFour: '4242', cardToken: canary });
    await em.flush();
    const ids = { category, book, electronic, tag, order, line, payment };
    const entries = Object.entries(ids).map(([name, entity]) => [name, entity.id]);
    return { tenant, canary, ...Object.fromEntries(entries) } as Shop;
  });
}

const TABLES = [
  'category',
  'product',
  'book',
  'electronic',
  'tag',
  'product_tag',
  'shop_order',
  'order_line',
  'payment',
];

/** What raw SQL calls a table: where tables lie in schemas, that of the EntityManager stands in front. */
export function tableOf({ schema }: SqlEntityManager, table: string): string {
  return schema === undefined ? table : `${schema}.${table}`;
}

/** By table; the same for all tenants of a witness. */
type Columns = ReadonlyMap<string, readonly string[]>;

const columnsSeen = new WeakMap<Witness, Columns>();

/** Read from rows, since a shop has some in every table. */
async function columnsOf(witness: Witness, em: SqlEntityManager, tenantId: string): Promise<Columns> {
  const seen = columnsSeen.get(witness);
  if (seen) return seen;
  const columns = new Map<string, readonly string[]>();
  for (const table of TABLES) {
    const [row] = await em.execute<object[]>(`select * from ${tableOf(em, table)} where tenant_id = ?`, [tenantId]);
    if (!row) throw new Error(`The shop has no row in "${table}": changes there would not be seen.`);
    columns.set(table, Object.keys(row));
  }
  columnsSeen.set(witness, columns);
  return columns;
}

/** All rows of a tenant as they lie in the database, read by a connection that nothing guards, in one statement. */
export function rowsOf(witness: Witness, { tenant }: Shop): Promise<string> {
  return as(tenant, async () => {
    const em = witness.fork(tenant);
    const columns = await columnsOf(witness, em, tenant.id);
    const platform = em.getPlatform();
    const toArray = platform.constructor.name.startsWith('Postgre') ? 'json_build_array' : 'json_array';
    const selects = [...columns].map(([table, names]) => {
      const quoted = names.map((name) => platform.quoteIdentifier(name));
      return `select ${toArray}('${table}', ${quoted}) as one from ${tableOf(em, table)} where tenant_id = ?`;
    });
    const rows = await em.execute<{ one: unknown }[]>(selects.join(' union all '), Array(columns.size).fill(tenant.id));
    return rows
      .map(({ one }) => JSON.stringify(one))
      .sort()
      .join('\n');
  });
}

/** So that what an earlier case has left is in nobody's way. */
function removeRows(witness: Witness, tenant: ContextTenant): Promise<void> {
  return as(tenant, () =>
    witness.fork(tenant).transactional(async (em) => {
      await em.execute(`update ${tableOf(em, 'category')} set parent_id = null where tenant_id = ?`, [tenant.id]);
      for (const table of TABLES.toReversed()) {
        await em.execute(`delete from ${tableOf(em, table)} where tenant_id = ?`, [tenant.id]);
      }
    }),
  );
}

/** Shops that cases share. One whose rows a case has changed is replaced, so that the next case finds it as it should be. */
export class ShopKeeper {
  readonly #shops = new Map<string, { readonly shop: Shop; readonly rows: string }>();

  constructor(
    private readonly witness: Witness,
    /** Whose the shops are; default: a new tenant for each. */
    private readonly tenants: Readonly<Record<string, ContextTenant>> = {},
  ) {}

  async get(slug: string): Promise<{ readonly shop: Shop; readonly rows: string }> {
    const kept = this.#shops.get(slug);
    if (kept) return kept;
    const tenant = this.tenants[slug];
    if (tenant) await removeRows(this.witness, tenant);
    const shop = await aShop(this.witness, slug, tenant);
    const opened = { shop, rows: await rowsOf(this.witness, shop) };
    this.#shops.set(slug, opened);
    return opened;
  }

  /** The rows as they are now. */
  async look(slug: string): Promise<string> {
    const { shop, rows } = await this.get(slug);
    const now = await rowsOf(this.witness, shop);
    if (now !== rows) this.#shops.delete(slug);
    return now;
  }
}

/** Everything an attempt can use. It runs as `own`, who knows every id of `target`. */
export interface Attempt {
  readonly em: SqlEntityManager;
  /** Another EntityManager of the same kind, with nothing loaded. */
  fork(): SqlEntityManager;
  readonly own: Shop;
  readonly target: Shop;
}
