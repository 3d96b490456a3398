import { TransactionManager } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { UnsavedChangesError } from '../errors/unsaved-changes.error.js';

/** @throws {UnsavedChangesError} */
export function assertNothingUnsaved(entityManager: SqlEntityManager): void {
  const unitOfWork = entityManager.getUnitOfWork(false);
  unitOfWork.computeChangeSets();
  const [change] = unitOfWork.getChangeSets();
  const [removed] = unitOfWork.getRemoveStack();
  const unsaved = change?.meta.className ?? removed?.constructor.name;
  if (unsaved !== undefined) throw new UnsavedChangesError(unsaved);
}

/** What MikroORM does at the end of its own transactions. Not part of its public face. */
interface Handover {
  mergeEntitiesToParent(from: SqlEntityManager, to: SqlEntityManager): void;
}

/**
 * Lets `to` manage the entities that a committed transaction has loaded or made. Where it holds an object of its own for
 * the same row, that one takes over the new values.
 */
export function adopt(from: SqlEntityManager, to: SqlEntityManager): void {
  (new TransactionManager(to) as unknown as Handover).mergeEntitiesToParent(from, to);
}
