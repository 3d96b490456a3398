import type { EntityName } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { Change } from './change.js';
import { ChangeEventsSubscriber } from './change-events.subscriber.js';

/** Who is told of changes that are made with `entityManager`. */
export function findEvents(entityManager: SqlEntityManager): ChangeEventsSubscriber | undefined {
  for (const subscriber of entityManager.getEventManager().getSubscribers()) {
    if (subscriber instanceof ChangeEventsSubscriber) return subscriber;
  }
  return undefined;
}

/**
 * Whether anybody wants to know of changes to rows of `entity`. Ask before reading old values for `announceChanges`.
 * For a base class, ask for each kind that may occur.
 */
export function areChangesWanted(entityManager: SqlEntityManager, entity: EntityName<object>): boolean {
  const meta = entityManager.getMetadata().get(entity);
  return findEvents(entityManager)?.wants(meta) ?? false;
}

/**
 * Tells change subscribers of rows that were written past the unit of work, by bulk or native statements, in the current
 * transaction. Call it after the statement and before the commit, once per batch; what it records vanishes with the
 * savepoint or transaction it belongs to.
 *
 * Without a `ChangeEventsSubscriber` on the ORM there is nobody to tell, and it does nothing.
 *
 * @throws {TransactionRequiredError} outside a transaction begun through `entityManager`
 */
export async function announceChanges(entityManager: SqlEntityManager, changes: Iterable<Change>): Promise<void> {
  await findEvents(entityManager)?.announce(entityManager, changes);
}

/**
 * Runs `callback` once what is being done with `entityManager` is committed: after the outermost transaction, in the order
 * of registration, and never when its part is rolled back. Outside a transaction: after the next flush. The caller of
 * the commit waits for it, but its errors go to the `onError` of `ChangeEventsSubscriber`.
 *
 * @throws {Error} when the ORM has no `ChangeEventsSubscriber`, since the callback would never run
 *
 * @example
 * onCommit(entityManager, () => mailer.sendReceipt(order.id));
 */
export function onCommit(entityManager: SqlEntityManager, callback: () => unknown): void {
  const events = findEvents(entityManager);
  if (!events) throw new Error('onCommit needs a ChangeEventsSubscriber among the subscribers of this ORM.');
  events.onCommit(entityManager, callback);
}
