import { AsyncLocalStorage } from 'node:async_hooks';
import { Collection, type EntityMetadata, Reference, Utils, wrap } from '@mikro-orm/core';
import { AmbiguousIdentityError } from '../errors/ambiguous-identity.error.js';
import type { ShardChild } from './shard-children.js';
import type { ShardScope } from './shard-scope.js';

/** The methods of MikroORM through which relations are loaded later, as far as they are used here. */
interface Loads {
  /** `Collection.init`, `wrap(entity).populate`. */
  populate(entities: unknown, ...rest: unknown[]): Promise<unknown>;
  /** `Reference.load`, `wrap(reference).init`: the condition is the reference itself. */
  findOne(entityName: unknown, where: unknown, options?: object): Promise<object | null>;
  /** What `populate` asks for children; only it passes `visited`. */
  find(entityName: unknown, where: unknown, options?: { readonly visited?: unknown }): Promise<object[]>;
}

/** Objects of other shards that one load of relations has found, each with its relations as they are there. */
type Lent = Map<object, ReadonlyMap<string, unknown>>;

/** Set while relations of loose objects are loaded. */
const choosing = new AsyncLocalStorage<Lent>();

/**
 * Where relations are loaded from that are loaded after their objects: the shard of the object, unless it came by a pin
 * that does not propagate. Such objects are loose: what they load later is asked for where the choosers say, as by a query
 * of its own. Deferred properties and `refresh` are the object's own row and never stray.
 *
 * @see SQLAlchemy `set_shard_id(propagate_to_loaders=False)`
 */
export class LaterLoads {
  readonly #loose = new WeakSet<object>();
  readonly #strays = new WeakSet<object>();
  readonly #watched = new WeakSet<object>();

  constructor(private readonly scope: ShardScope) {}

  /** Whether an object was loaded for a collection whose owner is on another shard. */
  isStray(entity: object): boolean {
    return this.#strays.has(entity);
  }

  /** Makes objects loose, and those that were loaded with them. */
  loosen(entities: Iterable<object | null>): void {
    for (const entity of entities) if (entity) this.#loosen(entity);
  }

  #loosen(entity: object): void {
    if (this.#loose.has(entity)) return;
    this.#loose.add(entity);
    const { __meta: meta, __em: em, __initialized: isLoaded } = wrap(entity, true);
    if (em && this.scope.children.owns(em)) this.#watch({ id: em.name, em: em as ShardChild['em'] });
    if (!isLoaded) return;
    for (const { name } of meta.relations) {
      const value = Reference.unwrapReference((entity as Record<string, never>)[name]) as unknown;
      if (Utils.isCollection(value)) this.loosen((value as Collection<object>).getItems(false));
      else if (Utils.isEntity(value, true)) this.#loosen(value as object);
    }
  }

  /** On the EntityManager alone that has loose objects: nobody else pays for it. */
  #watch(child: ShardChild): void {
    if (this.#watched.has(child.em)) return;
    this.#watched.add(child.em);
    const em = child.em as unknown as Loads;
    const populate = em.populate.bind(em);
    const findOne = em.findOne.bind(em);
    const find = em.find.bind(em);
    em.populate = async (entities, ...rest) => {
      const [loose = [], own = []] = this.#parts(entities);
      if (loose.length === 0) return populate(entities, ...rest);
      await populate(own, ...rest);
      const lent: Lent = new Map();
      await choosing.run(lent, () => populate(loose, ...rest));
      this.#leaveAlone(child, lent);
      return entities;
    };
    em.findOne = (entityName, where, options) => {
      const isLoose = Utils.isEntity(where, true) && this.#loose.has(where as object) && !wrap(where).isInitialized();
      return isLoose
        ? this.#findReferred(child, where as object, (more) => findOne(entityName, where, { ...options, ...more }))
        : findOne(entityName, where, options);
    };
    em.find = (entityName, where, options = {}) => {
      const lent = choosing.getStore();
      if (!options.visited || !lent) return find(entityName, where, options);
      return this.#findItems(child, this.scope.metadata(entityName), where, options, lent, (more) =>
        find(entityName, where, { ...options, ...more }),
      );
    };
  }

  /** Loose objects, and the others. */
  #parts(entities: unknown): [object[], object[]] {
    const all = (Array.isArray(entities) ? entities : [entities]) as object[];
    return [all.filter((it) => this.#loose.has(it)), all.filter((it) => !this.#loose.has(it))];
  }

  /** Items of collections of loose objects; those of other shards stay with their own EntityManagers. */
  async #findItems(
    child: ShardChild,
    meta: EntityMetadata,
    where: unknown,
    { visited: _visited, ...options }: { readonly visited?: unknown },
    lent: Lent,
    findHere: (more: object) => Promise<object[]>,
  ): Promise<object[]> {
    const { router } = this.scope;
    if (router.isOnEveryShard(meta)) return findHere({});
    const { shards } = router.ofQuery({ kind: 'select', meta, where });
    const lists = await this.scope.ask(
      shards,
      (em, callOff, id) => {
        if (id === child.id) return findHere(callOff);
        // What is loaded along with objects of another shard comes from there.
        const find = () => em.find(meta.class as never, where as never, { ...options, ...callOff } as never);
        return choosing.exit(find) as Promise<object[]>;
      },
      {},
    );
    for (const [index, list] of lists.entries()) {
      this.loosen(list);
      if (shards[index] === child.id) continue;
      for (const item of list) {
        this.#strays.add(item);
        lent.set(item, relationsOf(item));
      }
    }
    return lists.flat();
  }

  /**
   * Undoes what a collection does to its items: it makes them refer to its owner, and gives them to its own unit of work,
   * which would write them to its own shard.
   */
  #leaveAlone({ em }: ShardChild, lent: Lent): void {
    for (const [item, relations] of lent) {
      // Not by its setters, which would take the item out of the collection.
      Object.assign(dataOf(item), Object.fromEntries(relations));
      em.getUnitOfWork(false).getPersistStack().delete(item);
    }
  }

  /** The row that a loose object refers to: an object of the shard it is on, which may not be that of the reference. */
  async #findReferred(
    child: ShardChild,
    reference: object,
    findHere: (more: object) => Promise<object | null>,
  ): Promise<object | null> {
    const { __meta: meta } = wrap(reference, true);
    const primaryKey = wrap(reference, true).getPrimaryKey() as never;
    const { router } = this.scope;
    if (router.isOnEveryShard(meta)) return findHere({});
    const { shards } = router.ofQuery({ kind: 'select', meta, where: primaryKey });
    const found = await this.scope.ask(
      shards,
      (em, callOff, id) =>
        id === child.id ? findHere(callOff) : em.findOne(meta.class as never, primaryKey, callOff as never),
      {},
    );
    const holders = shards.filter((_, index) => found[index] != null);
    if (holders.length > 1) throw new AmbiguousIdentityError(meta.className, holders);
    this.loosen(found);
    return found.find((it) => it != null) ?? null;
  }
}

/** Where MikroORM keeps the relations of an object. */
function dataOf(entity: object): Record<string, unknown> {
  return wrap(entity, true).__data as Record<string, unknown>;
}

function relationsOf(entity: object): ReadonlyMap<string, unknown> {
  const data = dataOf(entity);
  const names = wrap(entity, true).__meta.relations.map(({ name }) => name as string);
  return new Map(names.filter((name) => name in data).map((name) => [name, data[name]]));
}
