import { EventType, type Transaction, TransactionEventBroadcaster, type TransactionEventType } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { ShardId } from '../registry/shard-definition.js';

/**
 * The part of a transaction that runs on one shard, with its savepoints. It commits through the connection:
 * `em.commit()` would flush once more, which costs a walk over every loaded object.
 */
export class ShardBranch {
  readonly #contexts: Transaction[] = [];
  readonly #broadcaster: TransactionEventBroadcaster;
  #isPrepared = false;

  constructor(
    readonly id: ShardId,
    private readonly em: SqlEntityManager,
  ) {
    this.#broadcaster = new TransactionEventBroadcaster(em);
  }

  /** Begins, and then sets savepoints, until there are `depth` levels. */
  async descendTo(depth: number): Promise<void> {
    while (this.#contexts.length < depth) {
      await this.em.begin({ ctx: this.#contexts.at(-1) });
      this.#contexts.push(this.em.getTransactionContext() as Transaction);
    }
  }

  /** Puts the transaction back onto the EntityManager, from which a flush takes it off. */
  resume(): void {
    this.em.setTransactionContext(this.#contexts.at(-1) as Transaction);
  }

  /**
   * Lets subscribers do what they do before a commit, such as writing audit entries. Done on all branches before the
   * first commits: one that fails here still undoes everything.
   */
  async prepare(): Promise<void> {
    this.resume();
    await this.#broadcaster.dispatchEvent(EventType.beforeTransactionCommit, this.#contexts.at(-1));
    this.#isPrepared = true;
  }

  /** Commits the innermost level: releases a savepoint, or commits the transaction. */
  async commit(): Promise<void> {
    this.resume();
    const broadcaster = this.#isPrepared ? new AfterPrepare(this.#broadcaster) : this.#broadcaster;
    this.#isPrepared = false;
    await this.em.getConnection('write').commit(this.#contexts.at(-1), broadcaster as TransactionEventBroadcaster);
    this.#leave();
  }

  /** Rolls the innermost level back. Also right after a commit that was refused. */
  async rollback(): Promise<void> {
    this.resume();
    try {
      await this.em.getConnection('write').rollback(this.#contexts.at(-1), this.#broadcaster);
    } finally {
      this.#leave();
      this.em.getUnitOfWork(false).clearActionsQueue();
    }
  }

  #leave(): void {
    this.#contexts.pop();
    const outer = this.#contexts.at(-1);
    if (outer) this.em.setTransactionContext(outer);
    else this.em.resetTransactionContext();
  }
}

/** Passes events on, except the one that `prepare` has sent already. */
class AfterPrepare implements Pick<TransactionEventBroadcaster, 'dispatchEvent'> {
  constructor(private readonly broadcaster: TransactionEventBroadcaster) {}

  async dispatchEvent(event: TransactionEventType, transaction?: Transaction): Promise<void> {
    if (event !== EventType.beforeTransactionCommit) await this.broadcaster.dispatchEvent(event, transaction);
  }
}
