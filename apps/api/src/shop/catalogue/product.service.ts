import { type Ref, ref } from '@mikro-orm/core';
import { Injectable } from '@nestjs/common';
import { AuditTrail, type EntityState } from '#libs/audit';
import { currentContext } from '#libs/context';
import { CurrentEntityManager, keysetAfter, keysetOrder, keysetPosition, Money } from '#libs/persistence';
import { CursorCodec } from '../../http/cursor-codec.js';
import { assertIfMatch } from '../../http/entity-tag.js';
import { InvalidInputError } from '../../http/errors/invalid-input.error.js';
import { NotFoundError } from '../../http/errors/not-found.error.js';
import { Category } from './category.entity.js';
import { CategoryService } from './category.service.js';
import { Product } from './product.entity.js';
import { createProduct } from './product.factory.js';
import type { NewProduct, ProductPatch, ProductQuery } from './product.schemas.js';
import { toConditions, toCursorScope, toSortKeys } from './product-list.js';

/** One page of products, and the cursor of the next (`null` on the last). */
export interface ProductPage {
  readonly data: Product[];
  readonly nextCursor: string | null;
}

/** The catalogue of the current tenant. */
@Injectable()
export class ProductService {
  constructor(
    private readonly entityManager: CurrentEntityManager,
    private readonly cursors: CursorCodec,
    private readonly trail: AuditTrail,
    private readonly categories: CategoryService,
  ) {}

  /** @throws {InvalidInputError} there is no such category */
  async create(input: NewProduct): Promise<Product> {
    const product = createProduct(input, await this.#findCategory(input.categoryId));
    await this.entityManager.get().persist(product).flush();
    return product;
  }

  /** @throws {NotFoundError} also for another tenant's id: the answer is the same */
  async get(id: string): Promise<Product> {
    const product = await this.entityManager.get().findOne(Product, { id });
    if (!product) throw new NotFoundError();
    return product;
  }

  /**
   * A product as it was, also one that is gone by now. A look at the trail, and so on record in it.
   * @throws {NotFoundError} when there was no such product at that time, be it not yet or no more
   */
  async getAsOf(id: string, time: Date): Promise<EntityState> {
    const state = await this.trail.stateAt(Product, id, time);
    if (!state?.exists) throw new NotFoundError();
    await this.trail.record({ action: 'audit_read', details: { stateOf: id, at: time } });
    return state;
  }

  async list(query: ProductQuery): Promise<ProductPage> {
    const scope = toCursorScope(currentContext().getTenant().id, query);
    const keys = toSortKeys(query.sort);
    const category = query['filter[category]'];
    const within = category === undefined ? undefined : await this.categories.withDescendants(category);
    const conditions = toConditions(query, within);
    if (query.cursor) conditions.push(keysetAfter(keys, this.cursors.decode(scope, query.cursor)));
    // One row more than asked for tells whether there is a next page, without a count.
    const rows = await this.entityManager
      .get()
      .find(Product, { $and: conditions }, { orderBy: keysetOrder(keys), limit: query.limit + 1 });
    const data = rows.slice(0, query.limit);
    const last = data.at(-1);
    const more = rows.length > data.length && last;
    return { data, nextCursor: more ? this.cursors.encode(scope, keysetPosition(keys, last)) : null };
  }

  /** @throws {NotFoundError} @throws {VersionConflictError} @throws {InvalidInputError} a property of another type */
  async patch(id: string, patch: ProductPatch, ifMatch: string | undefined): Promise<Product> {
    const product = await this.get(id);
    assertIfMatch(ifMatch, product.version);
    const foreign = Object.keys(patch).filter((name) => name !== 'categoryId' && !(name in product));
    if (foreign.length > 0) {
      const detail = `A product of type "${product.type}" has no such property.`;
      throw new InvalidInputError(foreign.map((name) => ({ pointer: `/${name}`, detail })));
    }
    const { price, categoryId, ...rest } = patch;
    Object.assign(product, rest, price && { price: new Money(price.amount, price.currency) });
    if (categoryId !== undefined) product.category = await this.#findCategory(categoryId);
    await this.entityManager.get().flush();
    return product;
  }

  /** @throws {NotFoundError} @throws {VersionConflictError} */
  async remove(id: string, ifMatch: string | undefined): Promise<void> {
    const product = await this.get(id);
    assertIfMatch(ifMatch, product.version);
    await this.entityManager.get().remove(product).flush();
  }

  /** Read first, since the database only says that something refers to nothing. */
  async #findCategory(id: string | null | undefined): Promise<Ref<Category> | null> {
    if (!id) return null;
    const category = await this.entityManager.get().findOne(Category, { id });
    if (category) return ref(category);
    throw new InvalidInputError([{ pointer: '/categoryId', detail: 'There is no such category.' }]);
  }
}
