import type { EntityMetadata, Primary } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { type Engine, engineOf, getEngine } from '#libs/persistence';
import type { ChooserContext, Choosers, ShardQuery } from '../choosers/choosers.js';
import type { ShardCursors } from '../cursor/shard-cursor.js';
import {
  type AskShard,
  askEach,
  askEachPartially,
  askOne,
  type CallOff as FanOutCallOff,
  type FanOutLimits,
  type ShardAnswer,
  writeEach,
} from '../fan-out/fan-out.js';
import type { FlushWatch } from '../flush/flush-watch.js';
import { ShardUnitOfWork } from '../flush/shard-unit-of-work.js';
import type { TransactionOptions } from '../flush/transaction-mode.js';
import type { ShardId } from '../registry/shard-definition.js';
import type { ShardRegistry } from '../registry/shard-registry.js';
import { type Route, Router } from '../routing/router.js';
import { atomicShardsOf } from '../two-phase/atomic-shards.js';
import { LaterLoads } from './later-loads.js';
import { ShardChildren } from './shard-children.js';
import type { ShardCallOptions } from './sharded-options.js';

/** What one sharded EntityManager is made from. */
export interface ShardScopeOptions {
  readonly registry: ShardRegistry;
  readonly choosers: Choosers;
  readonly transaction: TransactionOptions;
  readonly limits: FanOutLimits;
  readonly cursors: ShardCursors;
  readonly pinned?: ShardId;
  /** The listener of a shard's flushes. */
  watchOf(id: ShardId): FlushWatch;
}

/** One sharded unit of work: its children, its routes and its transaction. What readers and writers share. */
export class ShardScope {
  readonly children: ShardChildren;
  readonly router: Router;
  readonly unitOfWork: ShardUnitOfWork;
  /** Made for the first pin that does not propagate. */
  #laterLoads: LaterLoads | undefined;

  constructor(readonly options: ShardScopeOptions) {
    const { registry, choosers } = options;
    this.children = new ShardChildren(registry, (child) => {
      options.watchOf(child.id).watch(child.em, (args) => this.unitOfWork.onFlush(child, args));
    });
    const context: ChooserContext = { shards: registry.ids, shardOf: (entity) => this.children.shardOf(entity) };
    this.router = new Router(choosers, context, options.pinned);
    this.children.router = this.router;
    this.children.isStray = (entity) => this.#laterLoads?.isStray(entity) ?? false;
    this.unitOfWork = new ShardUnitOfWork(
      this.children,
      registry.ids,
      choosers.shardKeyOf ?? (() => []),
      atomicShardsOf(registry),
    );
  }

  /** Where nulls stand by default: as in a database of the first shard's engine. */
  get nullsAreLow(): boolean {
    const [first] = this.options.registry.ids as [ShardId];
    return this.engineOf(first).name !== 'postgresql';
  }

  engineOf(id: ShardId): Engine {
    return getEngine(this.options.registry.definition(id).url);
  }

  /** How a call treats several shards: its own options, else those of this unit of work. */
  transaction({ mode, homeShard }: TransactionOptions): TransactionOptions {
    const { transaction } = this.options;
    return { mode: mode ?? transaction.mode, homeShard: homeShard ?? transaction.homeShard };
  }

  metadata(entityName: unknown): EntityMetadata {
    return this.children.metadata(entityName);
  }

  /** Which shards a query goes to. Flushes first when it asks for something that is waiting to be written. */
  route(query: ShardQuery, { shard }: ShardCallOptions, primaryKey?: Primary<object>): Route | Promise<Route> {
    this.unitOfWork.assertUsable();
    const route = this.router.ofQuery(query, shard, primaryKey);
    const isClean = !query.meta || !this.children.areDirty(query.meta);
    return isClean ? route : this.unitOfWork.flush(this.options.transaction).then(() => route);
  }

  /** Notes of loaded objects that what they load later follows no pin, where the call said so. */
  loaded({ shard }: ShardCallOptions, entities: Iterable<object | null>): void {
    if (typeof shard !== 'object' || shard.propagate !== false) return;
    this.#laterLoads ??= new LaterLoads(this);
    this.#laterLoads.loosen(entities);
  }

  /** A child ready for statements: inside a transaction it has begun. */
  async enter(id: ShardId): Promise<SqlEntityManager> {
    const em = this.children.get(id);
    await this.unitOfWork.enlist({ id, em });
    return em;
  }

  /** Asks shards at the same time under the deadline; values in the order of `shards`. */
  ask<T>(shards: readonly ShardId[], ask: AskChild<T>, options: ShardCallOptions): Promise<T[]> {
    return askEach(shards, this.#entering(ask), this.#limits(options));
  }

  /** Asks one shard under the deadline. */
  askOne<T>(id: ShardId, ask: AskChild<T>, options: ShardCallOptions): Promise<T> {
    return askOne(id, this.#entering(ask), this.#limits(options));
  }

  /** Like `ask`, for writes: where a failure is going to be rolled back, nothing is left running when it is told. */
  write<T>(shards: readonly ShardId[], ask: AskChild<T>, options: ShardCallOptions): Promise<T[]> {
    const each = this.unitOfWork.isInTransaction ? writeEach : askEach;
    return each(shards, this.#entering(ask), this.#limits(options));
  }

  /** Like `ask`, where a failing shard is an answer. */
  askPartially<T>(shards: readonly ShardId[], ask: AskChild<T>, options: ShardCallOptions): Promise<ShardAnswer<T>[]> {
    return askEachPartially(shards, this.#entering(ask), this.#limits(options));
  }

  #entering<T>(ask: AskChild<T>): AskShard<T> {
    return (id, callOff) => {
      const em = this.children.get(id);
      const run = () => ask(em, callOffOf(em, callOff), id);
      // Outside of a transaction nothing has to begin, and a turn of waiting for nothing is felt in a read by key.
      return this.unitOfWork.enlist({ id, em })?.then(run) ?? run();
    };
  }

  #limits({ deadlineMs }: ShardCallOptions): FanOutLimits {
    const { limits } = this.options;
    return deadlineMs === undefined ? limits : { ...limits, deadlineMs };
  }
}

/** SQLite answers before anybody could call it off, and knows no way to be asked to stop. */
function callOffOf(em: SqlEntityManager, callOff: FanOutCallOff): CallOff {
  if (engineOf(em).wire) return { signal: callOff.signal, inflightQueryAbortStrategy: 'cancel query' };
  return {
    get signal() {
      return callOff.signal;
    },
  };
}

/**
 * How a statement is stopped when nobody waits for it any more: MikroORM's options. On the servers the query ends, too; by
 * default it would run on, and hold its connection.
 */
export interface CallOff {
  readonly signal: AbortSignal | undefined;
  readonly inflightQueryAbortStrategy?: 'cancel query';
}

/** Asks one child. */
export type AskChild<T> = (em: SqlEntityManager, callOff: CallOff, id: ShardId) => Promise<T>;
