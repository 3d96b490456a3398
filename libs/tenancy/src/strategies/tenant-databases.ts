import type { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import type { Engine, PoolOptions } from '#libs/persistence';
import type { StatementGuardOptions } from '../guard/statement-guard.js';

/** A MikroORM instance on any of our engines. */
export type TenantOrm = MikroORM<AbstractSqlDriver>;

/** What a strategy asks for when the shard's own instance will not do. */
export interface OrmRequest {
  /** Tells it from other instances of the shard. */
  readonly name: string;
  /** The database of its own that it opens, which must be there; default: that of the shard. */
  readonly databaseName?: string;
  /**
   * Where tables lie: in the schema that each EntityManager names (`schema: '*'` in MikroORM's words), or on the search
   * path that each statement carries. Default: where the connection looks.
   */
  readonly tables?: 'in schemas' | 'on the search path';
  /** A schema whose tables unqualified names mean: for migrations, whose SQL names none. */
  readonly insideSchema?: string;
  /** How the second layer of the guard is set up. */
  readonly guard?: StatementGuardOptions;
  readonly pool?: PoolOptions;
}

/**
 * The databases that strategies work on. An app binds this port to its shards: this is where tenancy and sharding meet.
 * All instances have both layers of the guard in front.
 */
export abstract class TenantDatabases {
  /** The product behind a shard. @throws when no shard has this id */
  abstract engine(shardId: string): Engine;

  /** The instance of the shard, which many tenants use. Synchronous, and the same at every call. */
  abstract shared(shardId: string): TenantOrm;

  /** A new instance beside it. Synchronous; connects at its first statement. Whoever asks for it closes it. */
  abstract open(shardId: string, request: OrmRequest): TenantOrm;

  /** Closes what `open` gave, for good: who kept an EntityManager of it gets an error. */
  abstract close(orm: TenantOrm): Promise<void>;

  /**
   * Brings tables up to date. Called in a system frame.
   * @param schema  where they lie, when the instance was opened inside one
   * @returns the names of the migrations that ran
   */
  abstract migrate(orm: TenantOrm, schema?: string): Promise<readonly string[]>;

  /** URL of a database of one tenant on a shard. */
  abstract databaseUrl(shardId: string, databaseName: string): string;
}
