import { AsyncLocalStorage } from 'node:async_hooks';
import type { FlushEventArgs } from '@mikro-orm/core';
import type { Choosers } from '../choosers/choosers.js';
import { CrossShardWriteError } from '../errors/cross-shard-write.error.js';
import { FlushInFlushError } from '../errors/flush-in-flush.error.js';
import { UnitOfWorkBrokenError } from '../errors/unit-of-work-broken.error.js';
import type { ShardId } from '../registry/shard-definition.js';
import type { ShardChild, ShardChildren } from '../sharded/shard-children.js';
import { inspectFlush } from '../sharded/shard-wall.js';
import type { AtomicShards } from '../two-phase/atomic-shards.js';
import { FlushRound } from './flush-round.js';
import { ShardTransaction } from './shard-transaction.js';
import type { TransactionOptions } from './transaction-mode.js';

const insideFlush = new AsyncLocalStorage<ShardUnitOfWork>();

/** What waits in a child for a flush; MikroORM forgets it when the flush is refused. */
interface Pending {
  readonly child: ShardChild;
  readonly persisted: readonly object[];
  readonly removed: readonly object[];
}

/** Flushes and commits the children of one sharded EntityManager as one. */
export class ShardUnitOfWork {
  #transaction: ShardTransaction | undefined;
  #round: FlushRound | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #isBroken = false;

  constructor(
    private readonly children: ShardChildren,
    /** Order of commits. */
    private readonly order: readonly ShardId[],
    private readonly shardKeyOf: NonNullable<Choosers['shardKeyOf']>,
    private readonly atomic: AtomicShards,
  ) {}

  get isInTransaction(): boolean {
    return this.#transaction !== undefined;
  }

  /** @throws {UnitOfWorkBrokenError} after a rollback of something that was sent */
  assertUsable(): void {
    if (this.#isBroken) throw new UnitOfWorkBrokenError();
  }

  /** Forgets every object, and with them what was wrong. */
  clear(): void {
    for (const { em } of this.children.opened()) em.clear();
    this.#isBroken = false;
  }

  /** Called before each statement on a child: inside a transaction it begins there first, else nobody has to wait. */
  enlist(child: ShardChild): Promise<void> | undefined {
    return this.#transaction?.enlist(child);
  }

  /** Writes to `ids` outside of a flush: `fn` runs in the current transaction, or in one of its own for several shards. */
  async write<T>(ids: readonly ShardId[], options: TransactionOptions, fn: () => Promise<T>): Promise<T> {
    this.#assertSupported(options);
    if (this.#transaction) {
      this.#transaction.announceWrite(ids);
      return fn();
    }
    if (ids.length < 2) return fn();
    // Here, and not after a transaction has begun: nothing may be sent.
    if (options.mode !== 'multi' && options.mode !== 'atomic') throw new CrossShardWriteError(ids);
    return this.transactional(options, async (transaction) => {
      transaction.announceWrite(ids);
      return fn();
    });
  }

  /** The listener of every child's flushes: the last moment before SQL. */
  readonly onFlush = async (child: ShardChild, { uow }: FlushEventArgs): Promise<void> => {
    inspectFlush(uow, child, this.children, this.shardKeyOf);
    const isDirty = uow.getChangeSets().length + uow.getCollectionUpdates().length + uow.getExtraUpdates().size > 0;
    if (this.#round) await this.#round.report(child.id, isDirty);
    else if (isDirty) this.#transaction?.announceWrite([child.id]);
  };

  /** One after another: two flushes at once could not tell whose changes they hold. */
  flush(options: TransactionOptions): Promise<void> {
    this.assertUsable();
    this.#assertSupported(options);
    if (insideFlush.getStore() === this) throw new FlushInFlushError();
    const flushed = this.#queue.then(() => insideFlush.run(this, () => this.#flushNow(options)));
    this.#queue = flushed.catch(() => undefined);
    return flushed;
  }

  /** Runs `fn`, flushes and commits; an error rolls everything back. Inside another transaction it is a savepoint. */
  async transactional<T>(options: TransactionOptions, fn: (transaction: ShardTransaction) => Promise<T>): Promise<T> {
    this.assertUsable();
    this.#assertSupported(options);
    if (this.#transaction) return this.#nested(this.#transaction, fn);
    const transaction = new ShardTransaction(options, this.atomic);
    this.#transaction = transaction;
    try {
      // What is loaded already may load more at any time, without passing through here.
      await Promise.all(this.#joining(transaction).map((child) => transaction.enlist(child)));
      const result = await fn(transaction);
      await this.flush(options);
      await this.#commit(transaction);
      return result;
    } catch (error) {
      await transaction.rollback();
      this.#isBroken ||= transaction.writes > 0;
      throw error;
    } finally {
      this.#transaction = undefined;
    }
  }

  async #nested<T>(transaction: ShardTransaction, fn: (transaction: ShardTransaction) => Promise<T>): Promise<T> {
    const { writes } = transaction;
    await transaction.beginNested();
    try {
      const result = await fn(transaction);
      await this.flush(transaction.options);
      await transaction.commitNested();
      return result;
    } catch (error) {
      await transaction.rollbackNested();
      this.#isBroken ||= transaction.writes > writes;
      throw error;
    }
  }

  async #flushNow(options: TransactionOptions): Promise<void> {
    const pending = this.children.opened().map(pendingOf);
    if (pending.length === 0) return;
    const transaction = this.#transaction ?? new ShardTransaction(options, this.atomic);
    // Begun during its flush, a child would not have its transaction any more when `afterFlush` is announced.
    if (this.#transaction) await Promise.all(this.#joining(transaction).map((child) => transaction.enlist(child)));
    let sent: readonly ShardId[] = [];
    this.#round = new FlushRound(pending.length, async (dirty) => {
      transaction.announceWrite(dirty);
      // One shard alone is left to MikroORM, which begins and commits by itself.
      const members = pending.filter(({ child }) => dirty.includes(child.id));
      if (members.length > 1) await Promise.all(members.map(({ child }) => transaction.enlist(child)));
      sent = dirty;
    });
    try {
      await this.#flushAll(pending, this.#round);
      await transaction.resume();
      if (transaction !== this.#transaction) await this.#commit(transaction);
    } catch (error) {
      if (transaction !== this.#transaction) await transaction.rollback();
      if (sent.length === 0) pending.forEach(putBack);
      this.#isBroken ||= sent.length > 1 || (sent.length > 0 && this.#transaction !== undefined);
      throw error;
    } finally {
      this.#round = undefined;
    }
  }

  /** Children that take part from now on. One that cannot has nothing to write: that was refused. */
  #joining(transaction: ShardTransaction): ShardChild[] {
    return this.children.opened().filter(({ id }) => transaction.admits(id));
  }

  async #commit(transaction: ShardTransaction): Promise<void> {
    const home = await transaction.findMissingHome();
    if (home !== undefined) await transaction.enlist({ id: home, em: this.children.get(home) });
    await transaction.commit(this.order);
  }

  #assertSupported({ mode }: TransactionOptions): void {
    if (mode === 'atomic' && this.atomic.able.length === 0) this.atomic.assertAble(this.order);
  }

  async #flushAll(pending: readonly Pending[], round: FlushRound): Promise<void> {
    const flushes = pending.map(async ({ child }) => {
      try {
        await child.em.flush();
      } catch (error) {
        round.abort(error);
        throw error;
      }
    });
    // All must have ended before anything is committed or rolled back under them.
    for (const result of await Promise.allSettled(flushes)) {
      if (result.status === 'rejected') throw result.reason;
    }
  }
}

function pendingOf(child: ShardChild): Pending {
  const uow = child.em.getUnitOfWork(false);
  return { child, persisted: [...uow.getPersistStack()], removed: [...uow.getRemoveStack()] };
}

function putBack({ child, persisted, removed }: Pending): void {
  const uow = child.em.getUnitOfWork(false);
  for (const entity of persisted) uow.persist(entity, undefined, { cascade: false });
  for (const entity of removed) uow.remove(entity, undefined, { cascade: false });
}
