import type { EntityMetadata, EntityName, Routine } from '@mikro-orm/core';
import { SqlEntityManager } from '@mikro-orm/sql';

/** Options of an ORM call as the guard sees them: it reads three of them and hands all of them on. */
export interface CallOptions {
  readonly cache?: unknown;
  readonly disableIdentityMap?: boolean;
  readonly schema?: string;
  readonly session?: unknown;
  readonly where?: unknown;
}

export type Row = Record<PropertyKey, unknown>;

/**
 * The methods of MikroORM's EntityManager that the guard overrides, with plain types. MikroORM's generics describe what
 * comes out of a call; the guard changes what goes in, so that repeating them in every override would hide the little
 * that each one does. Callers see MikroORM's own types.
 */
export interface PlainEntityManager {
  find(entity: EntityName, where: unknown, options?: CallOptions): Promise<object[]>;
  findOne(entity: EntityName, where: unknown, options?: CallOptions): Promise<object | null>;
  processWhere(entity: EntityName, where: unknown, options: CallOptions, type: string): Promise<unknown>;
  applyFilters(entity: EntityName, where: unknown, options: unknown, type: string, call?: unknown): Promise<unknown>;
  cacheKey(entity: EntityName, options: CallOptions, method: string, where: unknown): unknown[];
  tryCache(entity: EntityName, config: unknown, key: unknown, refresh?: boolean, merge?: boolean): Promise<unknown>;
  clearCache(name: string): Promise<void>;
  getReference(entity: EntityName, id: unknown, options?: { readonly key?: string }): object;
  merge(entityOrName: EntityName | object, data?: unknown, options?: unknown): object;
  create(entity: EntityName, data: unknown, options?: unknown): object;
  assign(entity: object, data: unknown, options?: unknown): object;
  flush(): Promise<void>;
  persist(entities: object | Iterable<object>): this;
  remove(entities: object | Iterable<object>): this;
  lock(entity: object, mode: unknown, options?: unknown): Promise<void>;
  insert(entityOrName: EntityName | object, data?: unknown, options?: unknown): Promise<unknown>;
  insertMany(entitiesOrName: EntityName | object[], data?: unknown[], options?: unknown): Promise<unknown>;
  upsert(entityOrName: EntityName | object, data?: unknown, options?: unknown): Promise<object>;
  upsertMany(entitiesOrName: EntityName | object[], data?: unknown[], options?: unknown): Promise<object[]>;
  nativeUpdate(entity: EntityName, where: unknown, data: Row, options?: unknown): Promise<number>;
  nativeDelete(entity: EntityName, where: unknown, options?: unknown): Promise<number>;
  clone(...args: unknown[]): Promise<object>;
  callRoutine(routine: Routine, args: unknown): Promise<unknown>;
  setFilterParams(name: string, args: unknown): void;
  setSessionContext(context: unknown): void;
  clearSessionContext(): void;
  fork(options?: CallOptions): this;
  begin(options?: unknown): Promise<void>;
  transactional(work: unknown, options?: unknown): Promise<unknown>;
  createQueryBuilder(entity: unknown, ...rest: unknown[]): object;
  getKysely(options?: unknown): object;
  execute(sql: unknown, ...rest: unknown[]): Promise<unknown>;
}

/** Everything else of the EntityManager, as MikroORM types it. */
type Untouched = Omit<SqlEntityManager, keyof PlainEntityManager | 'getContext' | 'getMetadata'>;

interface Reached {
  getContext(validate?: boolean): this;
  getMetadata(): { get(entity: EntityName): EntityMetadata };
}

/** `SqlEntityManager`, typed for being guarded. */
export const PlainSqlEntityManager = SqlEntityManager as unknown as new (
  ...args: ConstructorParameters<typeof SqlEntityManager>
) => PlainEntityManager & Reached & Untouched;
