import type { AbstractSqlPlatform } from '@mikro-orm/sql';
import { getEngine } from '#libs/persistence';
import type { Choosers } from '../choosers/choosers.js';
import { ShardCursors } from '../cursor/shard-cursor.js';
import { FlushWatch } from '../flush/flush-watch.js';
import type { TransactionMode } from '../flush/transaction-mode.js';
import { teachBinaryOrder } from '../merge/binary-order.js';
import { teachSplitFind } from '../ordered/split-find.js';
import type { ShardId } from '../registry/shard-definition.js';
import type { ShardRegistry } from '../registry/shard-registry.js';
import { ShardedEntityManager } from './sharded-entity-manager.js';

const DEFAULT_DEADLINE_MS = 10_000;

/** What sharded EntityManagers are made from: shards, and choosers of one's own or of `createShardKeyChoosers`. */
export interface ShardedEntityManagerFactoryOptions extends Choosers {
  readonly shards: ShardRegistry;
  /** How flushes and transactions treat several shards unless they say so themselves. Default `single`. */
  readonly mode?: TransactionMode;
  /** How long a call may wait for its shards, in milliseconds. Default 10 000. */
  readonly deadlineMs?: number;
  /**
   * Signs the cursors of `findByCursor`: a secret that all processes share which serve the same clients. Without one, a
   * cursor is good in this process only.
   */
  readonly cursorKey?: string | Uint8Array;
}

/** What one unit of work may have of its own. */
export interface CreateOptions {
  /** Pins the whole unit of work: no chooser is asked. */
  readonly shard?: ShardId;
  readonly mode?: TransactionMode;
  readonly deadlineMs?: number;
  /** Calls off whatever is running, for instance when a request is aborted. */
  readonly signal?: AbortSignal;
}

/** Makes sharded EntityManagers, one per piece of work. */
export interface ShardedEntityManagerFactory {
  /** A new unit of work. Synchronous, connects to nothing; a shard costs some microseconds when it is first touched. */
  create(options?: CreateOptions): ShardedEntityManager;
}

/**
 * A factory of sharded EntityManagers over the shards of a registry, which may serve single-shard EntityManagers at the
 * same time.
 *
 * @example
 * const choosers = createShardKeyChoosers({ placement: moduloPlacement(shards.ids), keys: [{ entity: Product, property: 'shardKey' }] });
 * const em = createShardedEntityManagerFactory({ shards, ...choosers }).create();
 */
export function createShardedEntityManagerFactory({
  shards,
  mode = 'single',
  deadlineMs = DEFAULT_DEADLINE_MS,
  cursorKey,
  ...choosers
}: ShardedEntityManagerFactoryOptions): ShardedEntityManagerFactory {
  const cursors = new ShardCursors(cursorKey);
  const watches = new Map<ShardId, FlushWatch>();
  const watchOf = (id: ShardId) => {
    const known = watches.get(id);
    if (known) return known;
    const watch = new FlushWatch();
    const orm = shards.get(id);
    orm.em.getEventManager().registerSubscriber(watch);
    teachBinaryOrder(orm.driver.getPlatform() as AbstractSqlPlatform, getEngine(shards.definition(id).url).name);
    teachSplitFind(orm.driver);
    watches.set(id, watch);
    return watch;
  };
  return {
    create: (own = {}) =>
      new ShardedEntityManager({
        registry: shards,
        choosers,
        transaction: { mode: own.mode ?? mode },
        limits: { deadlineMs: own.deadlineMs ?? deadlineMs, signal: own.signal },
        cursors,
        pinned: own.shard,
        watchOf,
      }),
  };
}
