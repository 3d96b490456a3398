import type { EntityMetadata, Primary } from '@mikro-orm/core';
import type { ShardId } from '../registry/shard-definition.js';

/** What a chooser may ask about the unit of work it chooses for. */
export interface ChooserContext {
  /** Every registered shard, in configured order. */
  readonly shards: readonly ShardId[];
  /**
   * The shard of an entity that is loaded or was created here; of a new one, its chooser is asked now. So a child can
   * follow its parent. `undefined` for anything else.
   */
  shardOf(entity: unknown): ShardId | undefined;
}

/** What a query wants, as far as routing needs to know. */
export interface ShardQuery {
  readonly kind: 'select' | 'count' | 'aggregate' | 'update' | 'delete' | 'raw';
  /** Mapping of the entity asked for; absent for raw SQL. */
  readonly meta?: EntityMetadata;
  /** The condition as the caller wrote it: an object, a primary key, or nothing. */
  readonly where?: unknown;
  /** The statement, for raw SQL. */
  readonly sql?: string;
}

/**
 * Decides where a new row lives. Called once per created entity, before any SQL is sent; the answer stays with the object.
 * Synchronous. While an entity is being created from data, `entity` is a stand-in that has its class and its data.
 *
 * @returns one registered shard id
 * @throws {UnknownShardError} from the caller, when the id is not registered
 * @see SQLAlchemy `ShardedSession(shard_chooser=…)`; there is no SQL clause here, MikroORM has none at this point
 */
export type ShardChooser = (entity: object, meta: EntityMetadata, context: ChooserContext) => ShardId;

/**
 * Names the shards on which the row of a primary key may be, the likeliest first. The identity map is looked up in this
 * order, and unlike in SQLAlchemy only these shards are sent SQL.
 *
 * @param primaryKey  a scalar, or for a composite key the values in the order of the mapping
 */
export type IdentityChooser = (
  meta: EntityMetadata,
  primaryKey: Primary<object>,
  context: ChooserContext,
) => Iterable<ShardId>;

/**
 * Names the shards to ask for a query that no pin and no primary key routes. A shard named twice is asked once; an empty
 * answer gives an empty result.
 */
export type ExecuteChooser = (query: ShardQuery, context: ChooserContext) => Iterable<ShardId>;

/** The three decisions of a sharded EntityManager. */
export interface Choosers {
  readonly shardChooser: ShardChooser;
  readonly identityChooser: IdentityChooser;
  readonly executeChooser: ExecuteChooser;
  /**
   * Properties whose change would put a row on the wrong shard: an update of one of them is refused. Generated choosers
   * bring it along; custom ones that leave it out are responsible for it themselves.
   */
  readonly shardKeyOf?: (meta: EntityMetadata) => readonly string[];
  /**
   * Whether every shard holds a copy of each row of an entity, such as a list of currencies: then one shard is asked for
   * it, rows of any shard may refer to it, and what writes it writes every copy.
   */
  readonly isOnEveryShard?: (meta: EntityMetadata) => boolean;
}
