import { type EntityMetadata, FlushMode, Reference, wrap } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { ForeignEntityError } from '../errors/foreign-entity.error.js';
import type { ShardId } from '../registry/shard-definition.js';
import type { ShardRegistry } from '../registry/shard-registry.js';
import type { Router } from '../routing/router.js';
import { raiseShardWall } from './shard-wall.js';

/** An EntityManager of one shard within a sharded unit of work. */
export interface ShardChild {
  readonly id: ShardId;
  readonly em: SqlEntityManager;
}

/**
 * The EntityManagers of one sharded unit of work, one per touched shard, made at first touch. A managed entity belongs to
 * the child that its `__em` names; a new one to the shard that was chosen for it, which is kept here, since an object has
 * no EntityManager before it is flushed. The same primary key on two shards is two objects, in two identity maps.
 */
export class ShardChildren {
  readonly #registry: ShardRegistry;
  readonly #onOpen: (child: ShardChild) => void;
  readonly #opened = new Map<ShardId, ShardChild>();
  readonly #tokens = new WeakMap<object, ShardId>();
  router!: Router;
  /** Whether an entity was loaded into a collection of another shard, which it does not belong to. */
  isStray: (entity: object) => boolean = () => false;

  constructor(registry: ShardRegistry, onOpen: (child: ShardChild) => void) {
    this.#registry = registry;
    this.#onOpen = onOpen;
  }

  /** The child of a shard, made now if need be. Connects to nothing. */
  get(id: ShardId): SqlEntityManager {
    return (this.#opened.get(id) ?? this.#open(id)).em;
  }

  /** The child of a shard that is there already. */
  findOpened(id: ShardId): SqlEntityManager | undefined {
    return this.#opened.get(id)?.em;
  }

  /** The children there are, in configured order: the order of commits and of concatenated results. */
  opened(): ShardChild[] {
    return this.#registry.ids.flatMap((id) => this.#opened.get(id) ?? []);
  }

  /** Whether something is waiting to be written that a query for `meta` would have to see. */
  areDirty(meta: EntityMetadata): boolean {
    for (const { em } of this.#opened.values()) {
      if (em.getUnitOfWork(false).shouldAutoFlush(meta as never)) return true;
    }
    return false;
  }

  /** Mapping of an entity. That of the shard asked for where the engine matters, of any shard where only names do. */
  metadata(entityName: unknown, id: ShardId = this.#registry.ids[0] as ShardId): EntityMetadata {
    return this.#registry
      .get(id)
      .getMetadata()
      .get(entityName as never) as unknown as EntityMetadata;
  }

  /**
   * The shard of an entity that is managed here, or was chosen for.
   * @throws {ForeignEntityError} when another EntityManager manages it
   */
  find(entity: object): ShardId | undefined {
    const owner = wrap(entity, true).__em;
    if (!owner) return this.#tokens.get(entity);
    if (!this.owns(owner)) throw new ForeignEntityError(entity.constructor.name);
    return owner.name;
  }

  /** Whether an EntityManager is one of these children. */
  owns(em: { readonly name: string }): boolean {
    return this.#opened.get(em.name)?.em === em;
  }

  /** Like `find`, and chooses for a new entity. */
  route(entity: object): ShardId {
    const known = this.find(entity);
    if (known !== undefined) return known;
    const chosen = this.router.ofNew(entity, this.metadata(entity.constructor));
    this.#tokens.set(entity, chosen);
    return chosen;
  }

  /** What a chooser may ask: the shard of an entity or of a loaded reference; `undefined` for anything else. */
  shardOf(value: unknown): ShardId | undefined {
    const entity = Reference.unwrapReference(value as never) as unknown;
    if (typeof entity !== 'object' || entity === null || !('__helper' in entity)) return undefined;
    const { __em, __initialized } = wrap(entity, true);
    // A bare reference carries a key and no data to choose by.
    if (!__em && !__initialized) return this.#tokens.get(entity);
    return this.route(entity);
  }

  /** Writes down the shard of a new entity, so that nobody is asked again. */
  assign(entity: object, id: ShardId): void {
    this.#tokens.set(entity, id);
  }

  #open(id: ShardId): ShardChild {
    // A child that flushed by itself before a query would commit alone: the sharded EntityManager flushes for all.
    const child = { id, em: this.#registry.entityManager(id, { flushMode: FlushMode.COMMIT }) };
    raiseShardWall(child, this);
    this.#opened.set(id, child);
    this.#onOpen(child);
    return child;
  }
}
