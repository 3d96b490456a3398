import type { Transaction } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { Change } from './change.js';

/**
 * One open transaction, or one savepoint in it. The same object from begin to end, so subscribers may key their own state
 * by it.
 *
 * A scope does not need to hear of a savepoint's release, which the mysql and mariadb drivers never announce: what was not
 * rolled back when the outermost transaction commits, is committed.
 */
export class TransactionScope {
  /** In order: changes of this scope, and the savepoints between them. */
  #entries: (Change | TransactionScope)[] = [];
  #callbacks: (() => unknown)[] = [];
  #waiting = 0;
  #isRolledBack = false;

  constructor(
    /** The EntityManager that began it. */
    readonly entityManager: SqlEntityManager,
    /** To write on it: `driver.nativeInsertMany(…, { ctx: scope.transaction })`. */
    readonly transaction: Transaction,
    /** The scope around this savepoint; absent on the outermost one. */
    readonly parent?: TransactionScope,
  ) {
    if (parent) parent.#entries.push(this);
  }

  /** The transaction this savepoint belongs to, at whatever depth; a transaction's own is itself. */
  get outermost(): TransactionScope {
    return this.parent?.outermost ?? this;
  }

  /** Changes recorded here and not taken yet, without those of savepoints. */
  get waiting(): number {
    return this.#waiting;
  }

  record(changes: Iterable<Change>): void {
    for (const change of changes) {
      this.#entries.push(change);
      this.#waiting++;
    }
  }

  /** Runs `callback` when the outermost transaction has committed, unless this part of it is rolled back before. */
  onCommit(callback: () => unknown): void {
    this.#callbacks.push(callback);
  }

  rollBack(): void {
    this.#isRolledBack = true;
  }

  /** How many savepoints there were so far. */
  get savepoints(): number {
    return this.#entries.filter((entry) => entry instanceof TransactionScope).length;
  }

  /** Rolls back all savepoints but the first `kept`. */
  rollBackSavepoints(kept: number): void {
    const savepoints = this.#entries.filter((entry) => entry instanceof TransactionScope);
    for (const savepoint of savepoints.slice(kept)) savepoint.rollBack();
  }

  /** What happened here and in savepoints, in order, each change once however often this is called. */
  takeChanges(into: Change[] = []): Change[] {
    if (this.#isRolledBack) return into;
    const entries = this.#entries;
    // Savepoints stay: one that is still open may record more.
    this.#entries = entries.filter((entry) => entry instanceof TransactionScope);
    this.#waiting = 0;
    for (const entry of entries) {
      if (entry instanceof TransactionScope) entry.takeChanges(into);
      else into.push(entry);
    }
    return into;
  }

  takeCallbacks(into: (() => unknown)[] = []): (() => unknown)[] {
    if (this.#isRolledBack) return into;
    into.push(...this.#callbacks.splice(0));
    for (const entry of this.#entries) if (entry instanceof TransactionScope) entry.takeCallbacks(into);
    return into;
  }
}
