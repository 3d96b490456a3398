import {
  CheckConstraintViolationException,
  DeadlockException,
  type DriverException,
  ForeignKeyConstraintViolationException,
  NotNullConstraintViolationException,
  UniqueConstraintViolationException,
} from '@mikro-orm/core';
import type { BulkDialect } from '../engines/bulk-dialect.js';
import type { RowConstraint } from '../errors/row-constraint.error.js';

const CONSTRAINTS = [
  [UniqueConstraintViolationException, 'unique'],
  [ForeignKeyConstraintViolationException, 'foreign_key'],
  [NotNullConstraintViolationException, 'not_null'],
  [CheckConstraintViolationException, 'check'],
] as const;

/** What the database holds against a row, or `undefined` when an error is about something else. */
export function constraintOf(error: unknown, dialect: BulkDialect): RowConstraint | undefined {
  if (!(error instanceof Error)) return undefined;
  const known = CONSTRAINTS.find(([exception]) => error instanceof exception);
  return known?.[1] ?? dialect.constraintOf(error as DriverException);
}

/** Whether the same work may succeed when it is done again. */
export function isTransient(error: unknown, dialect: BulkDialect): boolean {
  if (!(error instanceof Error)) return false;
  return error instanceof DeadlockException || dialect.isTransient(error as DriverException);
}
