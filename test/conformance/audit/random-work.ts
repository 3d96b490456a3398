import { type EntityClass, raw } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { bulkDelete, bulkInsert, bulkUpdate, bulkUpsert, Money } from '#libs/persistence';
import { Book, CardPayment, Category, Electronic, Order, OrderLine, Payment, Product, Tag } from '#libs/testing';
import { Account } from './audit.model.js';
import type { AuditWorld } from './audit-world.js';

/** Numbers that a seed repeats. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, and without, `end`. @see mulberry32 */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * end);
  }

  is(chance: number): boolean {
    return this.below(1000) < chance * 1000;
  }

  pick<T>(from: readonly T[]): T | undefined {
    return from[this.below(from.length)];
  }
}

/** Roots of the model that the work is about; each id belongs to one of them. */
export const roots: readonly EntityClass<{ id: string }>[] = [
  Product as unknown as EntityClass<Product>,
  Tag,
  Category,
  Order,
  OrderLine,
  Payment as unknown as EntityClass<Payment>,
  Account,
];

class Abandoned extends Error {}

type Step = (em: SqlEntityManager) => Promise<void>;

/** Random work as a product might do it: in flushes, transactions and savepoints, some of which are given up. */
export class RandomWork {
  /** What was done, for the message of a failure. */
  readonly log: string[] = [];
  #serial = 0;

  constructor(
    private readonly world: Pick<AuditWorld, 'as'>,
    private readonly dice: Dice,
  ) {}

  /** One unit of work. */
  async run(): Promise<void> {
    const shape = this.dice.pick(['flush', 'flush', 'transaction', 'savepoint', 'begin']);
    this.log.push(`— ${shape}`);
    await this.world.as(async (em) => {
      if (shape === 'flush') await this.#several(em);
      else if (shape === 'begin') await this.#beginAndEnd(em);
      else await this.#inTransaction(em, shape === 'savepoint');
    });
  }

  async #inTransaction(em: SqlEntityManager, hasSavepoint: boolean): Promise<void> {
    const givesUp = this.dice.is(0.25);
    const work = em.transactional(async (outer) => {
      await this.#several(outer);
      if (hasSavepoint) await this.#inSavepoint(outer);
      await this.#several(outer);
      if (givesUp) throw new Abandoned();
    });
    if (givesUp) this.log.push('given up');
    await work.catch(unlessAbandoned);
  }

  async #inSavepoint(outer: SqlEntityManager): Promise<void> {
    const givesUp = this.dice.is(0.5);
    const work = outer.transactional(
      async (inner) => {
        this.log.push(givesUp ? '( given up' : '(');
        await this.#several(inner);
        if (givesUp) throw new Abandoned();
      },
      { clear: true },
    );
    await work.catch(unlessAbandoned);
    this.log.push(')');
  }

  async #beginAndEnd(em: SqlEntityManager): Promise<void> {
    await em.begin();
    await this.#several(em);
    if (this.dice.is(0.3)) {
      this.log.push('rolled back');
      await em.rollback();
    } else await em.commit();
  }

  /** A few steps and a flush after some of them; in the end nothing waits. */
  async #several(em: SqlEntityManager): Promise<void> {
    for (let step = 1 + this.dice.below(3); step > 0; step--) {
      const name = this.dice.pick(Object.keys(this.#steps)) as string;
      this.log.push(name);
      await this.#steps[name]?.(em);
      if (this.dice.is(0.5)) await em.flush();
    }
    await em.flush();
  }

  /** One of those that exist, if any does; found by its base class. */
  async #one<E extends { id: string }>(em: SqlEntityManager, entity: EntityClass<E>): Promise<E | undefined> {
    await em.flush();
    const ids = await em.find(
      entity,
      {},
      { fields: ['id'] as never, orderBy: { id: 'asc' } as never, disableIdentityMap: true },
    );
    const id = this.dice.pick(ids as { id: string }[])?.id;
    return id === undefined ? undefined : ((await em.findOne(entity, { id } as never)) ?? undefined);
  }

  #price(): Money {
    return new Money(this.dice.below(1000), this.dice.pick(['EUR', 'USD', 'GBP']) as string);
  }

  #bookRow() {
    return {
      sku: `sku-${this.#serial++}`,
      name: `Book ${this.dice.below(9)}`,
      price: this.#price(),
      isbn: `${this.dice.below(99)}`,
    };
  }

  readonly #steps: Readonly<Record<string, Step>> = {
    'create a book': async (em) => {
      const category = this.dice.is(0.5) ? await this.#one(em, Category) : undefined;
      const book = em.create(Book, {
        ...this.#bookRow(),
        labels: ['new'],
        ...(category && { category }),
      } as never) as Book;
      const tag = await this.#one(em, Tag);
      if (tag) book.tags.add(tag);
    },
    'create a radio': async (em) => {
      em.create(Electronic, { ...this.#bookRow(), isbn: undefined, warrantyMonths: this.dice.below(24) } as never);
    },
    'create a tag': async (em) => void em.create(Tag, { name: `tag ${this.#serial++}` }),
    'create a category': async (em) => {
      const parent = this.dice.is(0.5) ? await this.#one(em, Category) : undefined;
      em.create(Category, { name: `category ${this.#serial++}`, ...(parent && { parent }) } as never);
    },
    'create an account': async (em) => {
      em.create(Account, {
        name: `Account ${this.#serial++}`,
        apiKey: 'secret',
        limit: this.#price(),
        settings: { b: 1, a: [1, 2] },
      });
    },
    'create a payment': async (em) => void em.create(CardPayment, { amount: this.#price(), lastFour: '4242' }),
    'create an order': async (em) => {
      const product = await this.#one(em, Book);
      const order = em.create(Order, {});
      for (let line = 0; product && line < 3; line++)
        order.lines.add(em.create(OrderLine, { order, product, quantity: line + 1 }));
    },
    'change a product': async (em) => {
      const product = await this.#one(em, Product as never as EntityClass<Product>);
      if (!product) return;
      product.name = `Product ${this.dice.below(9)}`;
      if (this.dice.is(0.5)) product.price = this.#price();
      if (this.dice.is(0.5)) product.attributes = { rank: this.dice.below(3), from: 'here' };
      if (product instanceof Book && this.dice.is(0.5)) product.isbn = `${this.dice.below(99)}`;
    },
    'change nothing of a product': async (em) => {
      const product = await this.#one(em, Product as never as EntityClass<Product>);
      if (product) product.price = new Money(product.price.amount, product.price.currency);
    },
    'count down by expression': async (em) => {
      const product = await this.#one(em, Product as never as EntityClass<Product>);
      if (product) Object.assign(product, { stock: raw('stock - 2') });
    },
    'change a reference': async (em) => {
      const account = await this.#one(em, Account);
      if (!account) return;
      const { id } = account;
      em.clear();
      em.getReference(Account, id as never).balance = this.dice.below(1000);
    },
    'change what is partly loaded': async (em) => {
      const found = await this.#one(em, Account);
      if (!found) return;
      em.clear();
      const account = await em.findOneOrFail(Account, { id: found.id } as never, { fields: ['balance'] });
      Object.assign(account, { notes: `note ${this.dice.below(9)}`, apiKey: `key ${this.dice.below(9)}` });
    },
    'move to a category': async (em) => {
      const [product, category] = [
        await this.#one(em, Product as never as EntityClass<Product>),
        await this.#one(em, Category),
      ];
      if (product) em.assign(product, { category: this.dice.is(0.3) ? null : (category?.id ?? null) } as never);
    },
    link: async (em) => {
      const [product, tag] = [await this.#one(em, Book), await this.#one(em, Tag)];
      if (!product || !tag) return;
      if (this.dice.is(0.5)) await product.tags.init();
      product.tags.add(tag);
    },
    'link from the other side': async (em) => {
      const [product, tag] = [await this.#one(em, Book), await this.#one(em, Tag)];
      if (product && tag) tag.products.add(product);
    },
    'replace links': async (em) => {
      const [product, tag] = [await this.#one(em, Book), await this.#one(em, Tag)];
      if (product && tag) product.tags.set([tag]);
    },
    unlink: async (em) => {
      const product = await this.#one(em, Book);
      if (this.dice.is(0.5)) await product?.tags.init();
      product?.tags.removeAll();
    },
    'take one link away': async (em) => {
      const [product, tag] = [await this.#one(em, Book), await this.#one(em, Tag)];
      if (!product || !tag) return;
      if (this.dice.is(0.3)) await product.tags.init();
      if (this.dice.is(0.3)) tag.products.remove(product);
      else product.tags.remove(tag);
      if (this.dice.is(0.2)) product.tags.add(tag);
    },
    'take lines out of an order': async (em) => {
      const order = await this.#one(em, Order);
      if (this.dice.is(0.5)) await order?.lines.init();
      order?.lines.removeAll();
    },
    'delete a tag': async (em) => {
      const tag = await this.#one(em, Tag);
      if (tag) em.remove(tag);
    },
    'delete a product by reference': async (em) => {
      const product = await this.#one(em, Product as never as EntityClass<Product>);
      if (!product || (await em.count(OrderLine, { product } as never)) > 0) return;
      const { id } = product;
      em.clear();
      em.remove(em.getReference(Product as never as EntityClass<Product>, id as never));
    },
    'delete an account': async (em) => {
      const account = await this.#one(em, Account);
      if (account) em.remove(account);
    },
    'insert in bulk': async (em) => {
      await em.flush();
      await bulkInsert(em, Book, [this.#bookRow(), this.#bookRow()]);
    },
    'upsert in bulk': async (em) => {
      const book = await this.#one(em, Book);
      const rows = [this.#bookRow(), ...(book ? [{ ...this.#bookRow(), sku: book.sku }] : [])];
      em.clear();
      await bulkUpsert(em, Book, rows, { by: ['sku'] });
    },
    'update in bulk': async (em) => {
      await em.flush();
      em.clear();
      const set = this.dice.is(0.5) ? { stock: raw('stock + 1') } : { name: `Bulk ${this.dice.below(9)}` };
      await bulkUpdate(em, Product as never as EntityClass<Product>, {
        where: { stock: { $lt: 2 } },
        set: set as never,
      });
    },
    'delete in bulk': async (em) => {
      await em.flush();
      em.clear();
      await bulkDelete(em, Payment as never as EntityClass<Payment>, { where: {} });
    },
  };
}

function unlessAbandoned(error: unknown): void {
  if (!(error instanceof Abandoned)) throw error;
}
