import {
  type EntityClass,
  type EntityData,
  type EntityMetadata,
  type EntityName,
  type FilterQuery,
  type Primary,
  type RequiredEntityData,
  wrap,
} from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { BulkRow } from '#libs/persistence';
import { CrossShardAssociationError } from '../errors/cross-shard-association.error.js';
import type { TransactionOptions } from '../flush/transaction-mode.js';
import type { ShardId } from '../registry/shard-definition.js';
import type { ShardPin } from '../routing/router.js';
import { standIn } from '../routing/stand-in.js';
import { valuesOf } from '../write/merge-entity.js';
import { ShardedWriter } from '../write/sharded-writer.js';
import { ShardScope, type ShardScopeOptions } from './shard-scope.js';
import type { ShardedExecuteOptions, ShardedWriteOptions } from './sharded-options.js';
import { ShardedQueries } from './sharded-queries.js';

/**
 * One unit of work over several shards, with MikroORM's words. Inside it is one EntityManager per touched shard: the same
 * primary key on two shards is two objects, and whatever is loaded later from an object is loaded from its shard.
 *
 * A call goes to the shard its option `shard` names, else to that of the whole unit of work (`create({ shard })`), else
 * to that of the entity it is about, else where the choosers say. Like every unit of work it serves one piece of work.
 *
 * @see SQLAlchemy `ShardedSession`; here answers over several shards are those of one database holding all rows, or refused
 */
export class ShardedEntityManager extends ShardedQueries {
  readonly #scope: ShardScope;
  readonly #writer: ShardedWriter;

  /** @internal made by `createShardedEntityManagerFactory` */
  constructor(options: ShardScopeOptions) {
    const scope = new ShardScope(options);
    super(scope);
    this.#scope = scope;
    this.#writer = new ShardedWriter(scope);
  }

  /**
   * A new entity on the shard that its data choose; it is written by the next `flush()`.
   * @throws {ShardNotChosenError} {@link UnknownShardError}
   */
  create<E extends object>(
    entityName: EntityName<E>,
    data: RequiredEntityData<E>,
    options: { readonly persist?: boolean; readonly shard?: ShardPin } = {},
  ): E {
    this.#scope.unitOfWork.assertUsable();
    const meta = this.#metadata(entityName);
    // The chooser comes first: an EntityManager that already knows the key would hand out its own object for it, and one
    // that is not the owner would own the references made of foreign keys.
    const { shard, persist = true } = options;
    const id =
      shard === undefined ? this.#scope.router.ofNew(standIn(meta, data), meta) : this.#scope.router.pin(shard);
    const child = this.#scope.children.get(id);
    const entity = child.create(entityName, data as never, { persist: false }) as E;
    this.#scope.children.assign(entity, id);
    if (persist) child.persist(entity);
    return entity;
  }

  /**
   * Marks entities to be written by the next `flush()`, each on its shard; what they refer to follows then.
   * @throws {ShardNotChosenError} {@link ForeignEntityError}
   */
  persist(entities: object | readonly object[], { shard }: { readonly shard?: ShardPin } = {}): this {
    this.#scope.unitOfWork.assertUsable();
    for (const entity of asList(entities)) this.#child(entity, shard).persist(entity);
    return this;
  }

  /** Marks entities to be deleted by the next `flush()`, each on its shard. */
  remove(entities: object | readonly object[]): this {
    this.#scope.unitOfWork.assertUsable();
    for (const entity of asList(entities)) this.#child(entity).remove(entity);
    return this;
  }

  /**
   * Writes what has changed. Nothing is sent before every change is known to be allowed; a refused flush loses nothing.
   * @throws {CrossShardWriteError} {@link CrossShardAssociationError} {@link ShardKeyChangedError}
   * @throws {CommitFailedError} in the mode `multi`, when a shard refuses to commit
   */
  async flush(options: TransactionOptions = {}): Promise<void> {
    await this.#scope.unitOfWork.flush(this.#scope.transaction(options));
  }

  /**
   * Runs `fn`, flushes, and commits on every shard that took part; an error rolls all of them back. Nested calls are
   * savepoints.
   */
  async transactional<T>(fn: (em: this) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    return this.#scope.unitOfWork.transactional(this.#scope.transaction(options), () => fn(this));
  }

  /** Reads an entity's row again, from its own shard; no chooser is asked. `null` when the row is gone. */
  async refresh<E extends object>(entity: E): Promise<E | null> {
    this.#scope.unitOfWork.assertUsable();
    const id = this.#owner(entity);
    const [refreshed] = await this.#scope.ask([id], (em) => em.refresh(entity), {});
    return refreshed as E | null;
  }

  /**
   * Brings an object that is not managed here over: one that another unit of work has loaded keeps its shard, any other
   * is looked for by primary key where the identity chooser says. The row found gets its values; without one, a new
   * entity is made. Unlike MikroORM's, it reads the row, so that only what differs is written.
   *
   * @returns the managed entity; the object given only when it is managed here already
   * @throws {AmbiguousIdentityError} when several shards have a row of this primary key
   */
  async merge<E extends object>(detached: E): Promise<E> {
    const { __em } = wrap(detached, true);
    if (__em && this.#scope.children.owns(__em)) return detached;
    const meta = this.#metadata(detached.constructor);
    const shard = __em && this.#scope.options.registry.has(__em.name) ? __em.name : undefined;
    const primaryKey = wrap(detached, true).getPrimaryKey();
    const entityName = meta.class as unknown as EntityName<E>;
    const found = primaryKey === null ? null : await this.findOne(entityName, primaryKey as never, { shard });
    const values = valuesOf(detached, meta);
    if (!found) {
      const keys = Object.fromEntries(
        meta.primaryKeys.map((name) => [name, (detached as Record<string, unknown>)[name]]),
      );
      return this.create(entityName, { ...keys, ...values } as never, { shard });
    }
    this.#scope.children.get(this.#owner(found)).assign(found as never, values as never);
    return found as E;
  }

  /**
   * Updates rows without loading them, on the shards that the condition concerns; loaded objects are kept in step.
   * @returns rows changed on all shards
   * @throws {CrossShardWriteError} for several shards in the mode `single` {@link ShardKeyChangedError}
   */
  async nativeUpdate<E extends object>(
    entityName: EntityName<E>,
    where: FilterQuery<NoInfer<E>>,
    data: EntityData<NoInfer<E>>,
    options: ShardedWriteOptions = {},
  ): Promise<number> {
    return this.#writer.nativeUpdate(entityName as never, where as never, data, options);
  }

  /** Deletes rows without loading them; see `nativeUpdate`. */
  async nativeDelete<E extends object>(
    entityName: EntityName<E>,
    where: FilterQuery<NoInfer<E>>,
    options: ShardedWriteOptions = {},
  ): Promise<number> {
    return this.#writer.nativeDelete(entityName as never, where as never, options);
  }

  /**
   * Inserts rows past the unit of work, each on its shard, in one batch per shard.
   * @returns primary keys in the order of `rows`
   * @throws {ShardNotChosenError} before any SQL, when a row names no shard {@link CrossShardWriteError}
   */
  async insertMany<E extends object>(
    entityName: EntityName<E>,
    rows: readonly RequiredEntityData<NoInfer<E>>[],
    options: ShardedWriteOptions = {},
  ): Promise<Primary<E>[]> {
    return this.#writer.insertMany(entityName as never, rows as readonly object[], options) as Promise<Primary<E>[]>;
  }

  /**
   * Inserts many rows by the engines' own bulk statements, each on its shard: the fastest way in. What is stored, and what
   * subscribers are told, is what a flush would store and tell; see `bulkInsert` of persistence.
   *
   * @returns how many rows were inserted
   * @throws {ShardNotChosenError} before any SQL, when a row names no shard {@link CrossShardWriteError}
   */
  async bulkInsert<E extends object>(
    entity: EntityClass<E>,
    rows: readonly BulkRow<E>[],
    options: ShardedWriteOptions = {},
  ): Promise<number> {
    return this.#writer.bulkInsert(entity as EntityClass<object>, rows as readonly object[], options);
  }

  /**
   * Raw SQL. A write needs the option `shard`; a `select` without one asks the shards the execute chooser names, and gives
   * their rows one after another: what they mean together is the caller's to say.
   *
   * @throws {ShardNotChosenError} for a write without a shard
   */
  async execute<T = Record<string, unknown>[]>(
    sql: string,
    params: readonly unknown[] = [],
    options: ShardedExecuteOptions = {},
  ): Promise<T> {
    return this.#writer.execute(sql, params, options) as Promise<T>;
  }

  /** The shard of an entity that is loaded or was created here; `undefined` for one nobody has chosen for. */
  shardOf(entity: object): ShardId | undefined {
    return this.#scope.children.find(entity);
  }

  /**
   * The EntityManager of one shard, for its query builder, Kysely and SQL. Inside a transaction it takes part in it, so do
   * not keep it.
   * @throws {UnknownShardError}
   */
  async on(shard: ShardPin): Promise<SqlEntityManager> {
    this.#scope.unitOfWork.assertUsable();
    return this.#scope.enter(this.#scope.router.pin(shard));
  }

  /** Forgets every object. Also makes the unit of work usable again after a rollback. */
  clear(): void {
    this.#scope.unitOfWork.clear();
  }

  #metadata(entityName: unknown): EntityMetadata {
    return this.#scope.metadata(entityName);
  }

  /** The child an entity goes to. A pin decides for a new one; that of a loaded one must agree with where it is. */
  #child(entity: object, pin?: ShardPin): SqlEntityManager {
    const { children, router } = this.#scope;
    const pinned = pin === undefined ? undefined : router.pin(pin);
    if (pinned !== undefined && children.find(entity) === undefined) children.assign(entity, pinned);
    const id = children.route(entity);
    if (pinned !== undefined && pinned !== id)
      throw new CrossShardAssociationError(entity.constructor.name, id, pinned);
    return children.get(id);
  }

  #owner(entity: object): ShardId {
    return this.#scope.children.route(entity);
  }
}

function asList(entities: object | readonly object[]): readonly object[] {
  return Array.isArray(entities) ? entities : [entities];
}
