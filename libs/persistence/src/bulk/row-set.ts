import type { SourceRow } from './mapped-column.js';

/** Rows on their way to the database, their values kept by column of the layout: `values[column][row]`. */
export interface RowSet {
  readonly rows: readonly SourceRow[];
  /** Position of each row in what was given to the bulk call. */
  readonly indexes: readonly number[];
  /** Stored values; `undefined` where a row does not mention the property. */
  readonly values: unknown[][];
}

/** The rows at `positions`, in that order. */
export function pick(set: RowSet, positions: readonly number[]): RowSet {
  if (positions.length === set.rows.length) return set;
  const take = <T>(from: readonly T[]) => positions.map((position) => from[position] as T);
  return { rows: take(set.rows), indexes: take(set.indexes), values: set.values.map(take) };
}
