import { type Transaction, TransactionEventBroadcaster } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { ShardId } from '../registry/shard-definition.js';

/**
 * The part of a transaction that runs on one shard, with its savepoints. It commits through the connection:
 * `em.commit()` would flush once more, which costs a walk over every loaded object.
 */
export class ShardBranch {
  readonly #contexts: Transaction[] = [];

  constructor(
    readonly id: ShardId,
    private readonly em: SqlEntityManager,
  ) {}

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

  /** Commits the innermost level: releases a savepoint, or commits the transaction. */
  async commit(): Promise<void> {
    this.resume();
    const broadcaster = new TransactionEventBroadcaster(this.em);
    await this.em.getConnection('write').commit(this.#contexts.at(-1), broadcaster);
    this.#leave();
  }

  /** Rolls the innermost level back. Also right after a commit that was refused. */
  async rollback(): Promise<void> {
    this.resume();
    try {
      await this.em.getConnection('write').rollback(this.#contexts.at(-1), new TransactionEventBroadcaster(this.em));
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
