import { EventType, type Transaction, TransactionEventBroadcaster, type TransactionEventType } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { type BranchName, beginBranch, keepBranch, prepareBranch } from '#libs/persistence';
import type { ShardId } from '../registry/shard-definition.js';
import type { Decision } from '../two-phase/decision-log.js';

/**
 * The part of a transaction that runs on one shard, with its savepoints. It commits through the connection:
 * `em.commit()` would flush once more, which costs a walk over every loaded object.
 */
export class ShardBranch {
  readonly #contexts: Transaction[] = [];
  readonly #broadcaster: TransactionEventBroadcaster;
  #isAnnounced = false;
  /** What subscribers threw once it was too late to stop anything. */
  readonly #late: unknown[] = [];

  constructor(
    readonly id: ShardId,
    readonly em: SqlEntityManager,
    /** Makes the transaction one that can be prepared. */
    readonly name?: BranchName,
  ) {
    this.#broadcaster = new TransactionEventBroadcaster(em);
  }

  /** Begins, and then sets savepoints, until there are `depth` levels. */
  async descendTo(depth: number): Promise<void> {
    while (this.#contexts.length < depth) {
      const begin = () => this.em.begin({ ctx: this.#contexts.at(-1) });
      await (this.name && this.#contexts.length === 0 ? beginBranch(this.em, this.name, begin) : begin());
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
  async announceCommit(): Promise<void> {
    this.resume();
    await this.#broadcaster.dispatchEvent(EventType.beforeTransactionCommit, this.#contexts.at(-1));
    this.#isAnnounced = true;
  }

  /** First phase of an atomic commit: from now on the database keeps the transaction until it is told what becomes of it. */
  async prepare(): Promise<void> {
    this.resume();
    try {
      await prepareBranch(this.em);
    } catch (error) {
      throw this.em.getDriver().convertException(error as Error);
    }
  }

  /** Second phase, once it is decided to commit. Never throws: what is decided is done, now or by the recoverer. */
  async finish(): Promise<void> {
    await this.commit().catch(() => this.leave('commit'));
  }

  /**
   * Gives the connection back and leaves the rest to the database and the recoverer: this connection cannot carry out the
   * decision, or nobody knows it. Subscribers are told what can be relied on. Never throws.
   */
  async leave(decision: Decision | undefined): Promise<void> {
    const context = this.#contexts.at(-1);
    this.resume();
    await keepBranch(this.em);
    await this.em
      .getConnection('write')
      .rollback(context)
      .catch(() => undefined);
    this.#leave();
    const event = decision === 'commit' ? EventType.afterTransactionCommit : EventType.afterTransactionRollback;
    await this.#broadcaster.dispatchEvent(event, context).catch((error) => this.#late.push(error));
  }

  /** Throws what a subscriber threw after the commit. When every branch is finished: it must not part them. */
  throwLate(): void {
    if (this.#late.length > 0) throw this.#late[0];
  }

  /** Commits the innermost level: releases a savepoint, or commits the transaction. */
  async commit(): Promise<void> {
    this.resume();
    const broadcaster = this.#isAnnounced ? new AfterAnnouncement(this.#broadcaster, this.#late) : this.#broadcaster;
    this.#isAnnounced = false;
    await this.em.getConnection('write').commit(this.#contexts.at(-1), broadcaster as TransactionEventBroadcaster);
    this.#leave();
  }

  /** Rolls the innermost level back. Also right after a commit that was refused. */
  async rollback(): Promise<void> {
    if (this.#contexts.length === 0) return;
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

/** Passes events on, except the one that `announceCommit` has sent already, and keeps what is thrown after the commit. */
class AfterAnnouncement implements Pick<TransactionEventBroadcaster, 'dispatchEvent'> {
  constructor(
    private readonly broadcaster: TransactionEventBroadcaster,
    private readonly late: unknown[],
  ) {}

  async dispatchEvent(event: TransactionEventType, transaction?: Transaction): Promise<void> {
    if (event === EventType.beforeTransactionCommit) return;
    const sent = this.broadcaster.dispatchEvent(event, transaction);
    if (event === EventType.afterTransactionCommit) await sent.catch((error) => this.late.push(error));
    else await sent;
  }
}
