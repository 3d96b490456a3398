import type {
  EntityMetadata,
  EventSubscriber,
  FlushEventArgs,
  Transaction,
  TransactionEventArgs,
  UnitOfWork,
} from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { findContext } from '#libs/context';
import { EndlessChangesError } from '../errors/endless-changes.error.js';
import { TransactionRequiredError } from '../errors/transaction-required.error.js';
import { type BulkWrite, findBulkWrite } from './bulk-write.js';
import type { Change } from './change.js';
import type { ChangeSubscriber } from './change-subscriber.js';
import { findInTransaction } from './find-in-transaction.js';
import { FlushRecord } from './flush-record.js';
import { TransactionScope } from './transaction-scope.js';

/** Who is told of changes, and of what goes wrong after a commit. */
export interface ChangeEventsOptions {
  readonly subscribers: readonly ChangeSubscriber[];
  /** Told what `afterCommit`, `afterRollback` and `onCommit` callbacks threw: it is too late for anything but a log line. */
  readonly onError: (error: unknown) => void;
  /** How many changes of one transaction may wait for its commit before they are handed over in parts. Default 1,000. */
  readonly maxWaitingChanges?: number;
}

/** How often subscribers may answer changes with changes. */
const MAX_ROUNDS = 10;

/**
 * Turns MikroORM's flush and transaction events, which differ by engine and by how a transaction was begun, into the four
 * of `ChangeSubscriber`. One instance per ORM, given in its `subscribers`.
 *
 * The tenant of the current context cannot be changed while a transaction is open: it enters and leaves it here.
 */
export class ChangeEventsSubscriber implements EventSubscriber {
  readonly #subscribers: readonly ChangeSubscriber[];
  readonly #onError: (error: unknown) => void;
  readonly #maxWaiting: number;
  readonly #wanted = new WeakMap<EntityMetadata, boolean>();
  readonly #wholeRows = new WeakSet<object>();
  readonly #flushes = new WeakMap<UnitOfWork, FlushRecord>();
  readonly #scopes = new WeakMap<Transaction, TransactionScope>();
  readonly #leaving = new WeakMap<TransactionScope, () => void>();
  /** Failures of a place from which nothing may be thrown, until one comes from which it may. */
  readonly #failures = new WeakMap<TransactionScope, unknown>();
  /** The transaction around a savepoint that an EntityManager is just opening. */
  readonly #parents = new WeakMap<object, Transaction>();
  /** Callbacks registered before the transaction of the next flush has begun. */
  readonly #early = new WeakMap<object, (() => unknown)[]>();

  constructor({ subscribers, onError, maxWaitingChanges = 1000 }: ChangeEventsOptions) {
    this.#subscribers = subscribers;
    this.#onError = onError;
    this.#maxWaiting = maxWaitingChanges;
  }

  /** Whether any subscriber wants changes of this class. */
  wants(meta: EntityMetadata): boolean {
    let wanted = this.#wanted.get(meta);
    if (wanted === undefined) {
      wanted = this.#subscribers.some((subscriber) => subscriber.beforeCommit && (subscriber.wants?.(meta) ?? true));
      this.#wanted.set(meta, wanted);
    }
    return wanted;
  }

  /** @throws {TransactionRequiredError} when `entityManager` is in no transaction that was begun through it */
  async announce(entityManager: SqlEntityManager, changes: Iterable<Change>): Promise<void> {
    const scope = this.#findScope(findInTransaction(entityManager));
    if (!scope) throw new TransactionRequiredError('announceChanges');
    const bulk = findBulkWrite();
    await this.#record(scope, bulk ? withBulk(changes, bulk) : changes);
  }

  onCommit(entityManager: SqlEntityManager, callback: () => unknown): void {
    const scope = this.#findScope(findInTransaction(entityManager));
    if (scope) scope.onCommit(callback);
    else this.#early.set(entityManager, [...(this.#early.get(entityManager) ?? []), callback]);
  }

  /**
   * Takes part in the transaction of `entityManager`, which somebody has begun past MikroORM and will end.
   * @returns its scope when this is the first part, for whoever hears of the end; `undefined` when it is known already
   */
  join(entityManager: SqlEntityManager, transaction: Transaction): TransactionScope | undefined {
    return this.#scopes.has(transaction) ? undefined : this.#open(entityManager, transaction);
  }

  /** Hands over what the savepoint of `entityManager` has changed, while it can still be rolled back. */
  async completePart(entityManager: SqlEntityManager): Promise<void> {
    const scope = this.#findScope(entityManager);
    if (scope) await this.#handOverAll(scope);
  }

  /** What `afterTransactionCommit` and `afterTransactionRollback` do, for a transaction that was joined. */
  async leave(scope: TransactionScope, isCommitted: boolean): Promise<void> {
    const event = { transaction: scope.transaction } as TransactionEventArgs;
    if (isCommitted) return this.afterTransactionCommit(event);
    this.beforeTransactionRollback(event);
    await this.afterTransactionRollback(event);
  }

  async onFlush({ em, uow }: FlushEventArgs): Promise<void> {
    const entityManager = em as SqlEntityManager;
    const record = new FlushRecord(entityManager, uow, this.#wholeRows, (meta) => this.wants(meta));
    this.#flushes.delete(uow);
    if (record.isEmpty) return;
    const isImplicit = !em.isInTransaction();
    if (isImplicit && !em.config.get('implicitTransactions')) throw new TransactionRequiredError('flush');
    if (!isImplicit && !this.#findScope(entityManager)) throw new TransactionRequiredError('flush');
    // An implicit transaction is not open yet: there is reading to do once it is.
    if (!isImplicit && record.needsReading) await record.read(em.getTransactionContext() as Transaction);
    this.#flushes.set(uow, record);
  }

  beforeTransactionStart({ em, transaction }: TransactionEventArgs): void {
    if (transaction) this.#parents.set(em, transaction);
    else this.#parents.delete(em);
  }

  async afterTransactionStart({ em, uow, transaction }: TransactionEventArgs): Promise<void> {
    if (!transaction) return;
    const scope = this.#open(em as SqlEntityManager, transaction);
    const record = uow && this.#flushes.get(uow);
    // An error thrown from here would leave the transaction open for ever. It is thrown before the commit instead.
    if (record?.needsReading) await record.read(transaction).catch((error) => this.#failures.set(scope, error));
  }

  async afterFlush({ em, uow }: FlushEventArgs): Promise<void> {
    const scope = this.#findScope(em as SqlEntityManager);
    if (scope) return this.#complete(scope, uow);
    // Not in a transaction: either there was none, since nothing had changed, or it has been committed.
    await this.#runCallbacks(this.#takeEarly(em));
  }

  async beforeTransactionCommit({ uow, transaction }: TransactionEventArgs): Promise<void> {
    const scope = transaction && this.#scopes.get(transaction);
    if (!scope) return;
    if (this.#failures.has(scope)) throw this.#failures.get(scope);
    if (uow) await this.#complete(scope, uow);
    if (!scope.parent) await this.#handOverAll(scope);
  }

  async afterTransactionCommit({ transaction }: TransactionEventArgs): Promise<void> {
    const scope = transaction && this.#scopes.get(transaction);
    if (!scope || scope.parent) return;
    this.#close(scope);
    const reactions = this.#subscribers.map((subscriber) => () => subscriber.afterCommit?.(scope));
    await this.#runCallbacks([...reactions, ...scope.takeCallbacks()]);
  }

  beforeTransactionRollback({ transaction }: TransactionEventArgs): void {
    const scope = transaction && this.#scopes.get(transaction);
    if (!scope) return;
    // Here and not after it: when the connection is gone, nobody tells of the end of a rollback.
    scope.rollBack();
    if (!scope.parent) this.#close(scope);
  }

  async afterTransactionRollback({ transaction }: TransactionEventArgs): Promise<void> {
    const scope = transaction && this.#scopes.get(transaction);
    if (!scope) return;
    await this.#runCallbacks(this.#subscribers.map((subscriber) => () => subscriber.afterRollback?.(scope)));
  }

  #findScope(entityManager: SqlEntityManager | undefined): TransactionScope | undefined {
    const transaction = entityManager?.getTransactionContext();
    return transaction && this.#scopes.get(transaction);
  }

  #open(entityManager: SqlEntityManager, transaction: Transaction): TransactionScope {
    const around = this.#parents.get(entityManager);
    const parent = around && this.#scopes.get(around);
    const scope = new TransactionScope(entityManager, transaction, parent);
    this.#scopes.set(transaction, scope);
    if (!parent) this.#leaving.set(scope, findContext()?.enterTransaction() ?? (() => {}));
    for (const callback of this.#takeEarly(entityManager)) scope.onCommit(callback);
    return scope;
  }

  #close(scope: TransactionScope): void {
    this.#leaving.get(scope)?.();
  }

  #takeEarly(entityManager: object): (() => unknown)[] {
    const callbacks = this.#early.get(entityManager) ?? [];
    this.#early.delete(entityManager);
    return callbacks;
  }

  async #complete(scope: TransactionScope, unitOfWork: UnitOfWork): Promise<void> {
    const record = this.#flushes.get(unitOfWork);
    if (!record) return;
    this.#flushes.delete(unitOfWork);
    await this.#record(scope, await record.complete(scope.transaction));
  }

  async #record(scope: TransactionScope, changes: Iterable<Change>): Promise<void> {
    scope.record(changes);
    if (scope.waiting >= this.#maxWaiting) await this.#handOver(scope);
  }

  async #handOverAll(scope: TransactionScope): Promise<void> {
    for (let round = 0; (await this.#handOver(scope)) > 0; round++) {
      if (round === MAX_ROUNDS) throw new EndlessChangesError(MAX_ROUNDS);
    }
  }

  async #handOver(scope: TransactionScope): Promise<number> {
    const changes = scope.takeChanges();
    if (changes.length === 0) return 0;
    for (const change of changes) freeze(change);
    Object.freeze(changes);
    for (const subscriber of this.#subscribers) {
      if (!subscriber.beforeCommit) continue;
      const wanted = subscriber.wants ? changes.filter(({ meta }) => subscriber.wants?.(meta)) : changes;
      if (wanted.length > 0) await subscriber.beforeCommit(Object.freeze(wanted), scope);
    }
    return changes.length;
  }

  async #runCallbacks(callbacks: readonly (() => unknown)[]): Promise<void> {
    for (const callback of callbacks) {
      try {
        await callback();
      } catch (error) {
        this.#report(error);
      }
    }
  }

  #report(error: unknown): void {
    try {
      this.#onError(error);
    } catch {
      // Whoever cannot even log must not turn a committed transaction into an error.
    }
  }
}

/** Not enumerable: a change of a bulk write compares equal to that of a flush. */
function* withBulk(changes: Iterable<Change>, bulk: BulkWrite): Iterable<Change> {
  for (const change of changes) yield Object.defineProperty(change, 'bulk', { value: bulk });
}

function freeze(change: Change): void {
  for (const part of [change.key, change.old, change.new, change.collections]) if (part) Object.freeze(part);
  Object.freeze(change);
}
