import { Injectable } from '@nestjs/common';
import { currentContext } from '#libs/context';
import { CurrentEntityManager, Transactional } from '#libs/persistence';
import { assertIfMatch } from '../../http/entity-tag.js';
import { ConflictError } from '../../http/errors/conflict.error.js';
import { NotFoundError } from '../../http/errors/not-found.error.js';
import type { PageQuery } from '../../http/page.schemas.js';
import { type Page, Pager } from '../../http/pager.js';
import { Product } from './product.entity.js';
import { Tag } from './tag.entity.js';
import type { NewTag, TagPatch } from './tag.schemas.js';
import { wordKeyOf } from './tag-word.js';

/** A tag, and how many products carry it. */
export interface CountedTag {
  readonly tag: Tag;
  readonly products: number;
}

/** The pivot table, as far as it is read here. */
interface PivotTables {
  readonly product_tag: { readonly tenant_id: string; readonly tag_id: string };
}

/** Products of a tag that are loaded at once. */
const PRODUCTS_AT_ONCE = 500;

const BY_NAME = (['name', 'id'] as const).map((path) => ({ path, direction: 'asc' as const }));

/** The tags of the current tenant. Products carry the words; what is changed here is changed in their words. */
@Injectable()
export class TagService {
  constructor(
    private readonly entityManager: CurrentEntityManager,
    private readonly pager: Pager,
  ) {}

  /** @throws {ConflictError} there is a tag of this word */
  async create(input: NewTag): Promise<CountedTag> {
    await this.#assertFree(input.name);
    const tag = new Tag(input);
    await this.entityManager.get().persist(tag).flush();
    return { tag, products: 0 };
  }

  /** @throws {NotFoundError} also for another tenant's id */
  async get(id: string): Promise<CountedTag> {
    const [counted] = await this.#count([await this.#find(id)]);
    return counted as CountedTag;
  }

  async list(query: PageQuery): Promise<Page<CountedTag>> {
    const { data, nextCursor } = await this.pager.readOfTenant(
      { entity: Tag, where: {}, keys: BY_NAME, scope: 'tags' },
      query,
    );
    return { data: await this.#count(data), nextCursor };
  }

  /**
   * A new name is a new word in every product.
   * @throws {NotFoundError} @throws {VersionConflictError} @throws {ConflictError} another tag has that word
   */
  @Transactional()
  async patch(id: string, { name, description }: TagPatch, ifMatch: string | undefined): Promise<CountedTag> {
    const tag = await this.#find(id);
    assertIfMatch(ifMatch, tag.version);
    if (description !== undefined) tag.description = description;
    if (name !== undefined && name !== tag.name) {
      const old = tag.wordKey;
      if (wordKeyOf(name) !== old) await this.#assertFree(name);
      tag.rename(name);
      // First, so that products find this very tag under their new word.
      await this.entityManager.get().flush();
      await this.#rewrite(id, (words) => words.map((word) => (wordKeyOf(word) === old ? name : word)));
    }
    const [counted] = await this.#count([tag]);
    return counted as CountedTag;
  }

  /** The word leaves every product. @throws {NotFoundError} @throws {VersionConflictError} */
  @Transactional()
  async remove(id: string, ifMatch: string | undefined): Promise<void> {
    const { wordKey, version } = await this.#find(id);
    assertIfMatch(ifMatch, version);
    await this.#rewrite(id, (words) => words.filter((word) => wordKeyOf(word) !== wordKey));
    const em = this.entityManager.get();
    em.remove(await this.#find(id));
  }

  async #find(id: string): Promise<Tag> {
    const tag = await this.entityManager.get().findOne(Tag, { id });
    if (!tag) throw new NotFoundError();
    return tag;
  }

  async #assertFree(name: string): Promise<void> {
    const taken = await this.entityManager.get().count(Tag, { wordKey: wordKeyOf(name) });
    if (taken > 0) throw new ConflictError('There is a tag of this name.');
  }

  /** Changes the words of all products of a tag, some at a time. */
  async #rewrite(id: string, change: (words: string[]) => string[]): Promise<void> {
    const em = this.entityManager.get();
    for (let last = ''; ; ) {
      const after = last === '' ? {} : { id: { $gt: last } };
      const products = await em.find(
        Product,
        { $and: [{ taggedWith: { $some: { id } } }, after] },
        { orderBy: { id: 'asc' }, limit: PRODUCTS_AT_ONCE },
      );
      for (const product of products) product.tags = change(product.tags);
      await em.flush();
      for (const product of products) em.getUnitOfWork().unsetIdentity(product);
      last = products.at(-1)?.id ?? '';
      if (products.length < PRODUCTS_AT_ONCE) return;
    }
  }

  /** Counts on the pivot table, for all tags by one statement. */
  async #count(tags: readonly Tag[]): Promise<CountedTag[]> {
    if (tags.length === 0) return [];
    const ids = tags.map(({ id }) => id as string);
    const rows = await this.entityManager
      .get()
      .getKysely<PivotTables>()
      .selectFrom('product_tag')
      .select(({ fn }) => ['tag_id', fn.countAll<number | string>().as('products')])
      .where('tenant_id', '=', currentContext().getTenant().id)
      .where('tag_id', 'in', ids)
      .groupBy('tag_id')
      .execute();
    const counts = new Map(rows.map((row) => [row.tag_id, Number(row.products)]));
    return tags.map((tag) => ({ tag, products: counts.get(tag.id) ?? 0 }));
  }
}
