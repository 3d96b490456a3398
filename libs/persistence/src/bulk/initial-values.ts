import type { EntityMetadata } from '@mikro-orm/core';
import { newId } from '../entities/new-id.js';
import { parametersOf } from './constructors.js';
import { type MappedColumn, type SourceRow, storedOrNull } from './mapped-column.js';

type Initial = NonNullable<MappedColumn['initial']>;

/** Instances are asked for their values without a tenant: no initialiser knows one. */
const NO_TENANT = '';
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * Finds out what field initialisers of the class give to new entities at this moment, by making two and looking at them. A
 * value that both have is a constant; a UUIDv7 and "now" are recognised; what differs otherwise, or a constructor that takes
 * parameters, needs an instance for every row.
 *
 * For the rows of one batch only: what an initialiser takes from the clock or from the context is another value in the next.
 *
 * @returns the values of columns that have one; `undefined` when every new row needs an instance
 *
 * Bulk writes of 10,000 rows would spend more time in constructors and MikroORM's property setters than in the driver.
 */
export function findInitialValues(
  meta: EntityMetadata,
  columns: readonly MappedColumn[],
): ReadonlyMap<MappedColumn, Initial> | undefined {
  const samples = createSamples(meta);
  if (!samples) return undefined;
  const found = new Map<MappedColumn, Initial>();
  for (const column of columns) {
    // Rows take the tenant of the context, whatever an instance made here has.
    if (column.role === 'tenant') continue;
    const initial = recognise(column, samples);
    if (initial === 'unforeseeable') return undefined;
    if (initial) found.set(column, initial);
  }
  return found;
}

function createSamples(meta: EntityMetadata): [SourceRow, SourceRow] | undefined {
  if (parametersOf(meta).length > 0) return undefined;
  const create = () => Reflect.construct(meta.class, []) as SourceRow;
  try {
    return [create(), create()];
  } catch {
    // A constructor that insists on what it was not given.
    return undefined;
  }
}

function recognise(column: MappedColumn, [a, b]: [SourceRow, SourceRow]): Initial | 'unforeseeable' | undefined {
  const [first, second] = [column.take(a, NO_TENANT), column.take(b, NO_TENANT)];
  if (first === undefined && second === undefined) return undefined;
  if (first === null || second === null) return first === second ? () => null : 'unforeseeable';
  if (column.kind === 'instant' && isNow(first)) return (_row, _em, now) => storedOrNull(now, column.type);
  if (UUID_V7.test(String(first)) && first !== second) return () => newId();
  return column.type.isSame(first, second) ? () => first : 'unforeseeable';
}

function isNow(milliseconds: unknown): boolean {
  return Math.abs(Date.now() - (milliseconds as number)) < 1000;
}
