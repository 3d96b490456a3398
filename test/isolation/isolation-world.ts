import { randomBytes } from 'node:crypto';
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

/** All rows of a tenant as they lie in the database, read by a connection that nothing guards. */
export function rowsOf(witness: Witness, { tenant }: Shop): Promise<string> {
  return as(tenant, async () => {
    const em = witness.fork(tenant);
    const all: string[] = [];
    for (const table of TABLES) {
      const name = em.schema === undefined ? table : `${em.schema}.${table}`;
      const rows = await em.execute<object[]>(`select * from ${name} where tenant_id = ?`, [tenant.id]);
      all.push(`${table}: ${rows.map((row) => JSON.stringify(row)).sort()}`);
    }
    return all.join('\n');
  });
}

/** So that what an earlier case has left is in nobody's way. */
function removeRows(witness: Witness, tenant: ContextTenant): Promise<void> {
  return as(tenant, async () => {
    const em = witness.fork(tenant);
    const nameOf = (table: string) => (em.schema === undefined ? table : `${em.schema}.${table}`);
    await em.execute(`update ${nameOf('category')} set parent_id = null where tenant_id = ?`, [tenant.id]);
    for (const table of TABLES.toReversed()) {
      await em.execute(`delete from ${nameOf(table)} where tenant_id = ?`, [tenant.id]);
    }
  });
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
