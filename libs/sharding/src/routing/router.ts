import { type EntityMetadata, type Primary, Utils } from '@mikro-orm/core';
import type { ChooserContext, Choosers, ShardQuery } from '../choosers/choosers.js';
import { ChooserFailedError } from '../errors/chooser-failed.error.js';
import { ReferenceEntityError } from '../errors/reference-entity.error.js';
import { ShardNotChosenError } from '../errors/shard-not-chosen.error.js';
import { ShardingError } from '../errors/sharding.error.js';
import { UnknownShardError } from '../errors/unknown-shard.error.js';
import type { ShardId } from '../registry/shard-definition.js';

/**
 * Fixes the shard of one call. What is loaded later from its objects comes from their shard, too; with `propagate: false`
 * collections and references are loaded where the choosers say.
 */
export type ShardPin = ShardId | { readonly id: ShardId; readonly propagate?: boolean };

/** Why a query goes where it goes. */
export type RouteReason = 'pin' | 'unit-of-work' | 'entity' | 'every-shard' | 'primary-key' | 'query';

/** Which shards are asked, in this order, and why. */
export interface Route {
  readonly shards: readonly ShardId[];
  readonly by: RouteReason;
}

/**
 * Turns pins and choosers' answers into routes. What a chooser answers is checked here, once, so that nothing behind
 * this point has to expect an unknown shard or the same shard twice.
 */
export class Router {
  constructor(
    private readonly choosers: Choosers,
    private readonly context: ChooserContext,
    /** Pin of the whole unit of work. */
    private readonly pinned?: ShardId,
  ) {
    if (pinned !== undefined) this.#known(pinned);
  }

  /** The shard a pin names. */
  pin(pin: ShardPin): ShardId {
    return this.#known(typeof pin === 'object' ? pin.id : pin);
  }

  /** Whether every shard holds a copy of each row of an entity. */
  isOnEveryShard(meta: EntityMetadata): boolean {
    return this.choosers.isOnEveryShard?.(meta) ?? false;
  }

  /** @throws {ReferenceEntityError} when a write would reach one copy only */
  assertWritesAllCopies(meta: EntityMetadata, pin?: ShardPin): void {
    if (this.isOnEveryShard(meta) && (pin !== undefined || this.pinned !== undefined)) {
      throw new ReferenceEntityError(meta.className, 'One shard is named');
    }
  }

  /** One copy is read; all of them are written. */
  #copies({ kind }: ShardQuery): readonly ShardId[] {
    return kind === 'update' || kind === 'delete' ? this.context.shards : this.context.shards.slice(0, 1);
  }

  /** The shard of a new entity. The caller keeps the answer: a chooser is asked once per object. */
  ofNew(entity: object, meta: EntityMetadata): ShardId {
    return this.ofEachNew(meta)(entity);
  }

  /** `ofNew` for many of one class: what is the same for all of them is asked once. */
  ofEachNew(meta: EntityMetadata): (entity: object) => ShardId {
    if (this.isOnEveryShard(meta)) throw new ReferenceEntityError(meta.className, 'A unit of work writes one shard');
    const { pinned, choosers, context } = this;
    if (pinned !== undefined) return () => pinned;
    return (entity) => {
      const shard: unknown = ask('shardChooser', () => choosers.shardChooser(entity, meta, context));
      if (shard === undefined || shard === null) {
        throw new ShardNotChosenError(`The shard chooser gave no shard for a new ${meta.className}.`);
      }
      return this.#known(asId('shardChooser', shard));
    };
  }

  /**
   * The shards to ask for a query; by primary key where that is all it names.
   * @param primaryKey  `primaryKeyOf` the query, when the caller knows it already
   */
  ofQuery(query: ShardQuery, pin?: ShardPin, primaryKey = query.meta && primaryKeyOf(query.meta, query.where)): Route {
    if (pin !== undefined) return { shards: [this.pin(pin)], by: 'pin' };
    if (this.pinned !== undefined) return { shards: [this.pinned], by: 'unit-of-work' };
    const owner = Utils.isEntity(query.where) ? this.context.shardOf(query.where) : undefined;
    if (owner !== undefined) return { shards: [owner], by: 'entity' };
    if (query.meta && this.isOnEveryShard(query.meta)) return { shards: this.#copies(query), by: 'every-shard' };
    if (query.meta && primaryKey !== undefined) {
      return { shards: this.holders(query.meta, primaryKey), by: 'primary-key' };
    }
    const shards = ask('executeChooser', () => this.choosers.executeChooser(query, this.context));
    return { shards: this.#checked('executeChooser', shards), by: 'query' };
  }

  /** The shards on which the row of a primary key may be. */
  holders(meta: EntityMetadata, primaryKey: Primary<object>): readonly ShardId[] {
    if (this.isOnEveryShard(meta)) return this.context.shards;
    const shards = ask('identityChooser', () => this.choosers.identityChooser(meta, primaryKey, this.context));
    return this.#checked('identityChooser', shards);
  }

  #checked(chooser: ChooserName, shards: Iterable<ShardId>): ShardId[] {
    // A text is a list, too: of its letters.
    if (typeof shards !== 'object' || shards === null || !(Symbol.iterator in shards)) {
      throw new ChooserFailedError(chooser, 'gave no list of shards');
    }
    const unique = shards instanceof Set ? [...shards] : [...new Set(shards)];
    for (const shard of unique) this.#known(asId(chooser, shard));
    return unique;
  }

  #known(shard: ShardId): ShardId {
    if (!this.context.shards.includes(shard)) throw new UnknownShardError(shard, this.context.shards);
    return shard;
  }
}

type ChooserName = ChooserFailedError['chooser'];

/** What a chooser answers; what it throws keeps its meaning when it is one of ours. */
function ask<T>(chooser: ChooserName, choose: () => T): T {
  try {
    return choose();
  } catch (error) {
    if (error instanceof ShardingError) throw error;
    throw new ChooserFailedError(chooser, `threw: ${(error as Error)?.message}`, { cause: error });
  }
}

function asId(chooser: ChooserName, shard: unknown): ShardId {
  if (typeof shard === 'string') return shard;
  throw new ChooserFailedError(chooser, `gave ${shard instanceof Promise ? 'a promise' : typeof shard} for a shard id`);
}

/** The primary key, when `where` is nothing but one: a scalar, or an object of exactly the key's properties. */
export function primaryKeyOf(meta: EntityMetadata, where: unknown): Primary<object> | undefined {
  if (where === null || where === undefined) return undefined;
  if (Array.isArray(where)) {
    const isOneKey = meta.compositePK && where.length === meta.primaryKeys.length;
    return isOneKey && where.every((part) => Utils.isPrimaryKey(part)) ? (where as Primary<object>) : undefined;
  }
  if (Utils.isPrimaryKey(where)) return where as Primary<object>;
  const key = Utils.extractPK(where as never, meta as never, true) as unknown;
  const parts = Array.isArray(key) ? key : [key];
  // `{ id: { $in: […] } }` has the shape of a key and is a condition.
  return parts.every((part) => Utils.isPrimaryKey(part)) ? (key as Primary<object>) : undefined;
}
