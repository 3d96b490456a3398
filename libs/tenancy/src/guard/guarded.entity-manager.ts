import { type EntityMetadata, type EntityName, type Routine, Utils } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { Kysely } from 'kysely';
import { currentContext } from '#libs/context';
import { findByKey, findSystemFrame, keepHooksApart, runAnnounced } from '#libs/persistence';
import { findCrossing } from '../across/crossing.js';
import { EntityManagerOfAnotherTenantError } from './errors/entity-manager-of-another-tenant.error.js';
import { ForeignTenantError } from './errors/foreign-tenant.error.js';
import { OperationRefusedError } from './errors/operation-refused.error.js';
import { type CallOptions, PlainSqlEntityManager, type Row } from './plain-entity-manager.js';
import { assertOwn, completeChanges, completeData, completeWhere, type ToReference } from './tenant-completion.js';
import { isTenantScoped, scopeOf, TENANT_PROPERTY } from './tenant-scope.js';
import { type TenantBound, TenantWallSubscriber } from './tenant-wall.subscriber.js';

/** Name under which a tenant filter would be registered; its parameters are not the application's to set. */
const TENANT_FILTER = 'tenant';

const wall = new TenantWallSubscriber();

/**
 * First layer of the guard: the ORM's own paths. Each override does one of three things: adds the tenant of the context
 * (to conditions, keys, data, cache names), refuses what names another one, or refuses an operation that cannot be kept
 * inside a tenant. What goes round the ORM (query builder, Kysely, raw SQL) is the second layer's business.
 */
class Guarded extends PlainSqlEntityManager implements TenantBound {
  #tenantId: string | undefined;

  constructor(...args: ConstructorParameters<typeof SqlEntityManager>) {
    super(...args);
    // The set of subscribers ignores one it already has; forks share it or copy it.
    this.getEventManager().registerSubscriber(wall);
    keepHooksApart(this.getEventManager());
  }

  /**
   * The tenant of the context. The first call pins this EntityManager to it, since from then on its identity map holds
   * that tenant's rows.
   */
  getTenantId(): string {
    const tenantId = currentContext().getTenant().id;
    const em = this.getContext(false);
    if (em.#tenantId === tenantId) return tenantId;
    if (em.#tenantId !== undefined) throw new EntityManagerOfAnotherTenantError();
    // The global instance is only a factory of forks: MikroORM refuses to manage entities in it, unless told otherwise.
    if (!em.global || em.config.get('allowGlobalContext')) em.#tenantId = tenantId;
    return tenantId;
  }

  // --- reads ---------------------------------------------------------------------------------------------------------

  /** Every read and every native write asks this for its final condition, also with `filters: false`. */
  override applyFilters(name: EntityName, where: unknown, options: unknown, type: string, call?: unknown) {
    this.#assertSchema((call as CallOptions | undefined)?.schema);
    // Filters only add to it: what names the tenant goes on doing so.
    const isBound = scopeOf(this.#meta(name)).kind === 'owned' && isPlain(where);
    if (isBound && where[TENANT_PROPERTY] === this.getTenantId()) {
      return super.applyFilters(name, where, options, type, call);
    }
    return this.#bind(name, super.applyFilters(name, where, options, type, call));
  }

  async #bind(name: EntityName, filtering: Promise<unknown>): Promise<unknown> {
    const filtered = await filtering;
    const scope = scopeOf(this.#meta(name));
    if (scope.kind === 'shared' || scope.kind === 'undeclared') return filtered;
    const own = { [TENANT_PROPERTY]: this.getTenantId() };
    const predicate = scope.kind === 'owned' ? own : { [scope.through]: own };
    return isEmptyCondition(filtered) ? predicate : { $and: [predicate, filtered] };
  }

  override processWhere(name: EntityName, where: unknown, options: CallOptions, type: string) {
    this.#assertSchema(options?.schema);
    return super.processWhere(name, this.#complete(name, where), options, type);
  }

  override async find(name: EntityName, where: unknown, options?: CallOptions): Promise<object[]> {
    return this.#ownOnly(name, await super.find(name, where, options));
  }

  override async findOne(name: EntityName, where: unknown, options?: CallOptions): Promise<object | null> {
    const scope = scopeOf(this.#meta(name));
    const isPlainCall = scope.kind === 'owned' && isWithoutOptions(options);
    const key = isPlainCall ? this.#findOwnKey(scope.idProperty, where) : undefined;
    const found = key && (await findByKey(this as unknown as SqlEntityManager, name, key));
    if (found === null) return null;
    const entity = found ?? (await this.#findOneByCondition(name, where, options));
    return entity && this.#ownOnly(name, entity);
  }

  /** The whole key of an own row, where the condition is one. A foreign tenant in it is left to the long way. */
  #findOwnKey(idProperty: string | undefined, where: unknown): Row | undefined {
    if (idProperty === undefined) return undefined;
    const tenantId = this.getTenantId();
    if (typeof where === 'string') return { [TENANT_PROPERTY]: tenantId, [idProperty]: where };
    if (!isPlain(where) || Object.getOwnPropertySymbols(where).length > 0) return undefined;
    const { length } = Object.keys(where);
    const isOwnKey = length === 2 && where[TENANT_PROPERTY] === tenantId;
    const id = length === 1 || isOwnKey ? where[idProperty] : undefined;
    return id === undefined ? undefined : { [TENANT_PROPERTY]: tenantId, [idProperty]: id };
  }

  async #findOneByCondition(name: EntityName, where: unknown, options?: CallOptions): Promise<object | null> {
    const scoped = isTenantScoped(this.#meta(name));
    // MikroORM refuses this too, but the tenant is in the condition by then.
    if (scoped && isEmptyCondition(where))
      throw new OperationRefusedError('em.findOne()', 'any row would do', 'Name a condition.');
    // Completed here already, as the identity map is asked before the condition is processed.
    return super.findOne(name, scoped ? this.#complete(name, where) : where, options);
  }

  override async lock(entity: object, mode: unknown, options?: unknown): Promise<void> {
    assertOwn(entity, this.getTenantId(), 'em.lock()');
    return super.lock(entity, mode, options);
  }

  override getReference(name: EntityName, id: unknown, options?: { readonly key?: string }): object {
    const meta = this.#meta(name);
    const scope = scopeOf(meta);
    if (scope.kind !== 'owned') return super.getReference(name, id, options);
    if (options?.key) {
      throw new OperationRefusedError(
        `em.getReference(${meta.className}) by "${options.key}"`,
        'such a reference carries no tenant',
        'Load the row with em.findOne().',
      );
    }
    const tenantId = this.getTenantId();
    const key = typeof id === 'object' && id !== null ? id : { [scope.idProperty ?? '']: id };
    const reference = super.getReference(name, isPlain(key) ? { [TENANT_PROPERTY]: tenantId, ...key } : key, options);
    assertOwn(reference, tenantId, 'em.getReference()');
    return reference;
  }

  // --- caches --------------------------------------------------------------------------------------------------------

  /** Entities shared by tenants have no tenant in their condition, but a database may hold its own copy of them. */
  override cacheKey(name: EntityName, options: CallOptions, method: string, where: unknown): unknown[] {
    return [...super.cacheKey(name, options, method, where), this.getTenantId()];
  }

  /** A named cache entry is found by its name alone, and the SQL is never sent: the name must hold the tenant. */
  override tryCache(name: EntityName, config: unknown, key: unknown, refresh?: boolean, merge?: boolean) {
    const effective = config ?? this.config.get('resultCache')?.global;
    const scoped = Array.isArray(effective)
      ? [this.#cacheName(String(effective[0])), ...effective.slice(1)]
      : effective;
    return super.tryCache(name, scoped, key, refresh, merge);
  }

  override async clearCache(name: string): Promise<void> {
    return super.clearCache(this.#cacheName(name));
  }

  // --- writes --------------------------------------------------------------------------------------------------------

  override create(name: EntityName, data: unknown, options?: unknown): object {
    const toReference: ToReference = (meta, id) => this.getReference(meta.class, id);
    return super.create(name, this.#completeNew(name, data, 'em.create()', toReference), options);
  }

  override assign(entity: object, data: unknown, options?: unknown): object {
    const meta = this.#metaOf(entity);
    if (!isTenantScoped(meta) || !isPlain(data)) return super.assign(entity, data, options);
    const toReference: ToReference = (target, id) => this.getReference(target.class, id);
    return super.assign(entity, completeChanges(meta, this.getTenantId(), data, 'em.assign()', toReference), options);
  }

  override merge(entityOrName: EntityName | object, data?: unknown, options?: unknown): object {
    // `merge(entity, options)` comes back as `merge(class, entity)`.
    if (Utils.isEntity(entityOrName)) return super.merge(entityOrName, data, options);
    const name = entityOrName as EntityName;
    const meta = this.#meta(name);
    if (scopeOf(meta).kind !== 'owned') return super.merge(name, data, options);
    const tenantId = this.getTenantId();
    if (!isPlain(data)) {
      assertOwn(data, tenantId, 'em.merge()');
      return super.merge(name, data, options);
    }
    const { [TENANT_PROPERTY]: given = tenantId } = data;
    if (given !== tenantId) throw new ForeignTenantError(meta.className, 'em.merge()');
    return this.#ownOnly(name, super.merge(name, { ...data, [TENANT_PROPERTY]: tenantId }, options));
  }

  override persist(entities: object | Iterable<object>): this {
    const tenantId = this.getTenantId();
    for (const entity of eachOf(entities)) assertOwn(entity, tenantId, 'em.persist()');
    return super.persist(entities);
  }

  override remove(entities: object | Iterable<object>): this {
    const tenantId = this.getTenantId();
    for (const entity of eachOf(entities)) assertOwn(entity, tenantId, 'em.remove()');
    return super.remove(entities);
  }

  /** A flush announces all it changes; what else is sent during it, by hooks and subscribers, does not. */
  override async flush(): Promise<void> {
    return runAnnounced('flush', () => super.flush());
  }

  override async insert(entityOrName: EntityName | object, data?: unknown, options?: unknown): Promise<unknown> {
    const [name, row] = this.#nativeRow(entityOrName, data, 'em.insert()');
    return super.insert(name, row, options);
  }

  override async insertMany(entitiesOrName: EntityName | object[], data?: unknown[], options?: unknown) {
    const [name, rows] = this.#nativeRows(entitiesOrName, data, 'em.insertMany()');
    return super.insertMany(name, rows, options);
  }

  override async upsert(entityOrName: EntityName | object, data?: unknown, options?: unknown): Promise<object> {
    const [name, row] = this.#nativeRow(entityOrName, data, 'em.upsert()');
    return super.upsert(name, row, options);
  }

  override async upsertMany(entitiesOrName: EntityName | object[], data?: unknown[], options?: unknown) {
    const [name, rows] = this.#nativeRows(entitiesOrName, data, 'em.upsertMany()');
    return super.upsertMany(name, rows, options);
  }

  override async nativeUpdate(name: EntityName, where: unknown, data: Row, options?: unknown): Promise<number> {
    const meta = this.#meta(name);
    // The root's own table can be updated in place; a descendant's lacks the columns of its parents.
    if (meta.root !== meta) this.#refuseClassTable(meta, 'em.nativeUpdate()', 'Load the entities and flush.');
    this.#refuseSharedWrite(meta, 'em.nativeUpdate()');
    const changes = completeChanges(meta, this.getTenantId(), data, 'em.nativeUpdate()');
    return super.nativeUpdate(name, where, changes, options);
  }

  override async nativeDelete(name: EntityName, where: unknown, options?: unknown): Promise<number> {
    const meta = this.#meta(name);
    this.#refuseClassTable(meta, 'em.nativeDelete()', 'Load the entities, em.remove() them and flush.');
    this.#refuseSharedWrite(meta, 'em.nativeDelete()');
    return super.nativeDelete(name, where, options);
  }

  // --- refused -------------------------------------------------------------------------------------------------------

  override async clone(): Promise<object> {
    throw new OperationRefusedError(
      'em.clone()',
      'it copies rows without asking whose they are',
      'Load the entity and em.create() a new one from its values.',
    );
  }

  override async callRoutine(routine: Routine, args: unknown): Promise<unknown> {
    this.#refuseOutsideSystemFrame('em.callRoutine()', 'a stored routine reads whatever it wants');
    return super.callRoutine(routine, args);
  }

  override setFilterParams(name: string, args: unknown): void {
    if (name === TENANT_FILTER)
      this.#refuseOutsideSystemFrame('em.setFilterParams()', 'the tenant comes from the context');
    super.setFilterParams(name, args);
  }

  override setSessionContext(context: unknown): void {
    this.#refuseOutsideSystemFrame('em.setSessionContext()', 'row-level security would believe it');
    super.setSessionContext(context);
  }

  override clearSessionContext(): void {
    this.#refuseOutsideSystemFrame('em.clearSessionContext()', 'row-level security relies on it');
    super.clearSessionContext();
  }

  // --- ways on -------------------------------------------------------------------------------------------------------

  /** A fork works for the tenant of its parent: it inherits schema and session settings, which are that tenant's. */
  override fork(options?: CallOptions): this {
    if (options?.session) this.#refuseOutsideSystemFrame('em.fork({ session })', 'row-level security would believe it');
    this.#assertSchema(options?.schema);
    const fork = super.fork(options);
    fork.#tenantId = this.getContext(false).#tenantId;
    return fork;
  }

  override async begin(options?: unknown): Promise<void> {
    this.getTenantId();
    return super.begin(options);
  }

  override async transactional(work: unknown, options?: unknown): Promise<unknown> {
    this.getTenantId();
    return super.transactional(work, options);
  }

  override createQueryBuilder(entity: unknown, ...rest: unknown[]): object {
    if (!findCrossing()) this.getTenantId();
    return super.createQueryBuilder(entity, ...rest);
  }

  override getKysely(options?: unknown): object {
    if (findSystemFrame() === undefined && !findCrossing()) this.getTenantId();
    const kysely = super.getKysely(options) as Kysely<unknown>;
    const { schema } = this;
    return schema === undefined ? kysely : kysely.withSchema(schema);
  }

  override async execute(sql: unknown, ...rest: unknown[]): Promise<unknown> {
    if (findSystemFrame() === undefined && !findCrossing()) this.getTenantId();
    return super.execute(sql, ...rest);
  }

  // -------------------------------------------------------------------------------------------------------------------

  #meta(name: EntityName): EntityMetadata {
    return this.getMetadata().get(name);
  }

  #metaOf(entity: object): EntityMetadata {
    return this.#meta(entity.constructor as EntityName);
  }

  #complete(name: EntityName, where: unknown): unknown {
    const meta = this.#meta(name);
    return isTenantScoped(meta) ? completeWhere(meta, this.getTenantId(), where) : where;
  }

  #completeNew(name: EntityName, data: unknown, operation: string, toReference?: ToReference) {
    const meta = this.#meta(name);
    return isTenantScoped(meta) ? completeData(meta, this.getTenantId(), data, operation, toReference) : data;
  }

  /** Whatever a cache, an identity map or a driver returned: rows of another tenant do not leave the EntityManager. */
  #ownOnly<T extends object | object[]>(name: EntityName, found: T): T {
    const meta = this.#meta(name);
    if (!isTenantScoped(meta)) return found;
    const tenantId = this.getTenantId();
    for (const entity of Array.isArray(found) ? found : [found]) assertOwn(entity, tenantId, 'em.find()');
    return found;
  }

  /** Both spellings of a native write, `(name, data)` and `(entity)`, with the tenant filled in. */
  #nativeRow(entityOrName: EntityName | object, data: unknown, operation: string): [EntityName | object, unknown] {
    if (data === undefined) {
      const entity = entityOrName as object;
      this.#assertNative(this.#metaOf(entity), operation);
      assertOwn(entity, this.getTenantId(), operation);
      return [entity, undefined];
    }
    const name = entityOrName as EntityName;
    this.#assertNative(this.#meta(name), operation);
    return [name, this.#completeNew(name, data, operation)];
  }

  #nativeRows(
    entitiesOrName: EntityName | object[],
    data: unknown[] | undefined,
    operation: string,
  ): [EntityName | object[], unknown[] | undefined] {
    if (data === undefined) {
      const entities = entitiesOrName as object[];
      for (const entity of entities) this.#nativeRow(entity, undefined, operation);
      return [entities, undefined];
    }
    const name = entitiesOrName as EntityName;
    return [name, data.map((row) => this.#nativeRow(name, row, operation)[1])];
  }

  #assertNative(meta: EntityMetadata, operation: string): void {
    this.#refuseClassTable(meta, operation, 'Use em.create() or em.persist() and flush.');
    this.#refuseSharedWrite(meta, operation);
  }

  #refuseClassTable(meta: EntityMetadata, operation: string, instead: string): void {
    if (meta.root.inheritanceType !== 'tpt') return;
    const because = `${meta.className} lies in several tables and this reaches one of them`;
    throw new OperationRefusedError(`${operation} of ${meta.className}`, because, instead);
  }

  #refuseSharedWrite(meta: EntityMetadata, operation: string): void {
    if (scopeOf(meta).kind !== 'shared' || findSystemFrame() !== undefined) return;
    const because = 'its rows are shared by all tenants of the database';
    throw new OperationRefusedError(`${operation} of ${meta.className}`, because, 'Change shared rows in a migration.');
  }

  /** A call that names a schema would reach tables of another place, and identity map and caches would mix the two. */
  #assertSchema(schema: string | undefined): void {
    // MikroORM itself hands on the default schema on some ways.
    if (schema === undefined || schema === (this.schema ?? this.config.getSchema())) return;
    this.#refuseOutsideSystemFrame('The option "schema"', "the tenant's placement says where its tables are");
  }

  #refuseOutsideSystemFrame(operation: string, because: string): void {
    if (findSystemFrame() !== undefined) return;
    throw new OperationRefusedError(operation, because, 'This is left to the isolation strategies.');
  }

  #cacheName(name: string): string {
    return `${this.getTenantId()}|${name}`;
  }
}

function isPlain(value: unknown): value is Row {
  return Utils.isPlainObject(value);
}

function isEmptyCondition(where: unknown): boolean {
  return (
    where == null ||
    (isPlain(where) && Object.keys(where).length === 0 && Object.getOwnPropertySymbols(where).length === 0)
  );
}

/** `findOneOrFail` hands on an empty object when it was given none. */
function isWithoutOptions(options: CallOptions | undefined): boolean {
  return options === undefined || Object.keys(options).length === 0;
}

function eachOf(entities: object | Iterable<object>): Iterable<object> {
  return Utils.isEntity(entities, true) || !(Symbol.iterator in entities) ? [entities] : entities;
}

/**
 * The EntityManager of tenant databases: MikroORM's own, in which no call can forget the tenant. Give it to MikroORM as
 * `entityManager`; forks and transactions keep it. The tenant is that of the context, and the first use pins the
 * instance to it.
 *
 * @throws {NoTenantInContextError} from every method that reaches data, before any SQL, when the context names no tenant
 * @throws {EntityManagerOfAnotherTenantError} when the instance was used for another tenant before
 * @throws {ForeignTenantError} when data, a reference or a loaded row belongs to another tenant
 * @throws {OperationRefusedError} from operations that cannot be kept inside one tenant
 */
export const GuardedEntityManager = Guarded as unknown as typeof SqlEntityManager;
export type GuardedEntityManager = SqlEntityManager;
