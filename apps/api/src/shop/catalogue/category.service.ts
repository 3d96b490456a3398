import { ref } from '@mikro-orm/core';
import { Injectable } from '@nestjs/common';
import { CurrentEntityManager, findLocked, Transactional } from '#libs/persistence';
import { assertIfMatch } from '../../http/entity-tag.js';
import { InvalidInputError } from '../../http/errors/invalid-input.error.js';
import { NotFoundError } from '../../http/errors/not-found.error.js';
import { type Page, Pager } from '../../http/pager.js';
import { Category, MAX_CATEGORY_DEPTH } from './category.entity.js';
import type { CategoryPatch, CategoryQuery, NewCategory } from './category.schemas.js';

/** The catalogue's tree of the current tenant. */
@Injectable()
export class CategoryService {
  constructor(
    private readonly entityManager: CurrentEntityManager,
    private readonly pager: Pager,
  ) {}

  /** @throws {InvalidInputError} the parent is not there, or too deep */
  @Transactional()
  async create({ name, parentId }: NewCategory): Promise<Category> {
    const parent = parentId ? await this.#lockParent(parentId) : null;
    const category = new Category({ name, parent: parent && ref(parent) });
    this.entityManager.get().persist(category);
    return category;
  }

  /** @throws {NotFoundError} also for another tenant's id */
  async get(id: string): Promise<Category> {
    const category = await this.entityManager.get().findOne(Category, { id });
    if (!category) throw new NotFoundError();
    return category;
  }

  list({ 'filter[parent]': parent, ...page }: CategoryQuery): Promise<Page<Category>> {
    const where = parent === undefined ? {} : { parent: parent === 'none' ? null : { id: parent } };
    const keys = (['name', 'id'] as const).map((path) => ({ path, direction: 'asc' as const }));
    return this.pager.readOfTenant({ entity: Category, where, keys, scope: `categories ${parent}` }, page);
  }

  /** @throws {NotFoundError} @throws {VersionConflictError} @throws {InvalidInputError} no tree would be left */
  @Transactional()
  async patch(id: string, { name, parentId }: CategoryPatch, ifMatch: string | undefined): Promise<Category> {
    const category = await this.#lock(id);
    assertIfMatch(ifMatch, category.version);
    if (name !== undefined) category.name = name;
    if (parentId === null) category.parent = null;
    else if (parentId !== undefined && parentId !== category.parent?.id) {
      category.parent = ref(await this.#lockParent(parentId, category));
    }
    return category;
  }

  /**
   * Only one that nothing is in: products and categories below would lose their place unseen.
   * @throws {NotFoundError} @throws {VersionConflictError} @throws {ForeignKeyConstraintViolationException}
   */
  async remove(id: string, ifMatch: string | undefined): Promise<void> {
    const category = await this.get(id);
    assertIfMatch(ifMatch, category.version);
    await this.entityManager.get().remove(category).flush();
  }

  /** Ids of a category and all below it, a statement for each level. Empty for one that is not there. */
  async withDescendants(id: string): Promise<string[]> {
    const em = this.entityManager.get();
    const ids: string[] = [];
    let level: Category[] = await em.find(Category, { id }, { fields: ['id'] as never });
    while (level.length > 0) {
      const found = level.map((category) => category.id as string);
      ids.push(...found);
      level = await em.find(Category, { parent: { id: { $in: found } } }, { fields: ['id'] as never });
    }
    return ids;
  }

  async #lock(id: string): Promise<Category> {
    const [category] = await findLocked(this.entityManager.get(), Category, { id });
    if (!category) throw new NotFoundError();
    return category;
  }

  /**
   * The category that is to be the parent of `child`, and locks on all above it. Two that are to go below each other at the
   * same time wait for one another here; the one that is repeated sees that the other was first.
   */
  async #lockParent(id: string, child?: Category): Promise<Category> {
    const below = child ? await this.#heightOf(child) : 1;
    const [parent] = await findLocked(this.entityManager.get(), Category, { id });
    if (!parent) throw refused('There is no such category.');
    let depth = 1;
    for (let it = parent; ; depth++) {
      if (it === child) throw refused('Must not be the category itself, nor one below it.');
      if (!it.parent) break;
      it = await this.#lock(it.parent.id);
    }
    if (depth + below > MAX_CATEGORY_DEPTH) throw refused(`A tree has at most ${MAX_CATEGORY_DEPTH} levels.`);
    return parent;
  }

  /** Levels of the tree below `category`, its own included. */
  async #heightOf({ id }: Category): Promise<number> {
    const em = this.entityManager.get();
    let level: string[] = [id];
    let height = 0;
    for (; level.length > 0 && height < MAX_CATEGORY_DEPTH; height++) {
      const children = await em.find(Category, { parent: { id: { $in: level } } });
      level = children.map((category) => category.id);
    }
    return height;
  }
}

function refused(detail: string): InvalidInputError {
  return new InvalidInputError([{ pointer: '/parentId', detail }]);
}
