import type { EntityData, FilterOptions, FilterQuery, Primary, Raw } from '@mikro-orm/core';
import type { BulkRowError } from '../errors/bulk-row.error.js';

/**
 * Many rows. An array is one batch, written whole or not at all. Anything else that can be iterated is read as it comes
 * and written in batches, so that memory does not grow with it.
 */
export type RowSource<Row> = readonly Row[] | Iterable<Row> | AsyncIterable<Row>;

/**
 * One row: values by property. To-one relations as the key of their target, a reference or an entity; embedded values
 * whole. The tenant may be left out. A property that is absent gets what a new entity would have; on a row that exists it
 * stays as it is.
 */
export type BulkRow<Entity> = EntityData<Entity>;

/** What every bulk write may be told. */
export interface BulkOptions {
  /** Rows of one transaction. Default: an array as a whole, of other sources 1,000. */
  readonly batchSize?: number;
  /**
   * Told of every row that could not be written; the others of its batch are. Without it the first such row ends the
   * call, and nothing of its batch remains. Called in the order of the rows, once their batch is committed, or, inside a
   * transaction, written.
   *
   * @param index position of the row in the source, from 0
   */
  readonly onRejected?: (index: number, error: BulkRowError) => void;
}

/** How `bulkUpsert` tells which rows are there already. */
export interface BulkUpsertOptions<Entity> extends BulkOptions {
  /** Properties that tell rows apart: the primary key or a unique constraint, the tenant left out. */
  readonly by: readonly (keyof Entity & string)[];
}

/** How `bulkUpdate` finds the row of each of its rows. */
export interface BulkUpdateOptions<Entity> extends BulkOptions {
  /** As in `bulkUpsert`. Default: the primary key. */
  readonly by?: readonly (keyof Entity & string)[];
}

/** Which rows: by primary key, or by a condition that is applied like the one of `em.find`, filters included. */
export type BulkSelection<Entity> =
  | { readonly keys: RowSource<Primary<Entity>> }
  | { readonly where: FilterQuery<Entity>; readonly filters?: FilterOptions };

/** What the chosen rows shall hold: values as in a row, or `raw(…)` for an expression that the database works out per row. */
export type BulkChanges<Entity> = { readonly [Name in keyof BulkRow<Entity>]?: BulkRow<Entity>[Name] | Raw };

/** Counts of rows, of all batches together. */
export interface BulkInsertResult {
  readonly inserted: number;
  /** Rows that `onRejected` was told of. */
  readonly rejected: number;
}

/** Counts of rows; each row given is in exactly one. */
export interface BulkUpsertResult extends BulkInsertResult {
  readonly updated: number;
  /** Rows that already were as given: nothing was written, no version raised, no change announced. */
  readonly unchanged: number;
}

/** Counts of rows, as of an upsert that inserts nothing. */
export type BulkUpdateResult = Omit<BulkUpsertResult, 'inserted'>;

/** Count of rows, each of its concrete class and all its tables. */
export interface BulkDeleteResult {
  readonly deleted: number;
}
