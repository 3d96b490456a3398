import { inspect } from 'node:util';
import { PersistenceError } from './persistence.error.js';

/** Which row of a bulk write an error is about. */
export interface RowLocation {
  /** Class name of the entity. */
  readonly entity: string;
  /** Position in the rows that were given, from 0. */
  readonly index: number;
  /** What the row can be found by: the properties of `by`, of a unique constraint, or of the primary key; as given. */
  readonly key: Readonly<Record<string, unknown>>;
}

/** One row of a bulk write cannot be written. Nothing of its batch remains, or, with `onRejected`, nothing of the row. */
export abstract class BulkRowError extends PersistenceError {
  readonly entity: string;
  readonly index: number;
  readonly key: Readonly<Record<string, unknown>>;

  constructor({ entity, index, key }: RowLocation, problem: string, options?: ErrorOptions) {
    const named = Object.entries(key).map(([property, value]) => `${property} ${inspect(value)}`);
    super(`Row ${index} of ${entity}${named.length > 0 ? ` (${named.join(', ')})` : ''}: ${problem}`, options);
    this.entity = entity;
    this.index = index;
    this.key = key;
  }
}
