import type { RowConstraint } from '../errors/row-constraint.error.js';

/**
 * How a stored value looks, the same on every engine: `instant` is milliseconds since 1970 (UTC), `bigint` and `uuid` are
 * text, `json` is JSON text, `custom` is whatever the property's own type converts to. Absent is `null`.
 */
export type StoredKind =
  | 'text'
  | 'uuid'
  | 'integer'
  | 'float'
  | 'bigint'
  | 'decimal'
  | 'boolean'
  | 'instant'
  | 'json'
  | 'binary'
  | 'custom';

/** One column, as far as SQL needs to know it. */
export interface BulkColumn {
  /** Quoted identifier. */
  readonly name: string;
  readonly kind: StoredKind;
  /** Type in the DDL, with length: `varchar(60)`. */
  readonly sqlType: string;
  /** Wraps a bound value in SQL, for custom types that need it. */
  readonly wrapBound?: (sql: string) => string;
}

/**
 * Rows of one table, kept by column: `values[c][r]` is the stored value of column `c` in row `r`. Arrays instead of an
 * object per row: a bulk write makes no garbage it does not need.
 */
export interface BulkRows {
  /** Quoted, with its schema where it has one. */
  readonly table: string;
  readonly columns: readonly BulkColumn[];
  readonly values: readonly (readonly unknown[])[];
  readonly count: number;
}

/** A column that holds the same stored value in every row. */
export interface SharedValue {
  readonly column: BulkColumn;
  readonly value: unknown;
}

/** SQL with its values beside it. */
export interface BulkStatement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /** What the driver reports as affected when every row was written. */
  readonly affects: number;
}

/** What drivers tell of an error, each in its way. */
export interface DatabaseFault {
  readonly code?: string;
  readonly errno?: number;
  readonly message: string;
}

/** Takes values for a statement one by one and gives their placeholders. */
export interface BoundValues {
  readonly parameters: unknown[];
  /** @returns the placeholder */
  bind(value: unknown): string;
}

/**
 * The SQL in which one product writes many rows at once. Values always travel as bound parameters, identifiers come from
 * the mapping alone.
 */
export interface BulkDialect {
  /**
   * Inserts, cut by the limits of the product.
   * @param shared  further columns, with a value that stands for every row; sent once where the product can repeat it
   */
  insert(rows: BulkRows, shared?: readonly SharedValue[]): Iterable<BulkStatement>;
  /**
   * Updates rows that exist and are locked, each to values of its own. The first `keys` columns are the primary key, the
   * next `sets` are written; the rest is unchanged and there for products that can only rewrite a row as a whole.
   */
  update(rows: BulkRows, keys: number, sets: number): Iterable<BulkStatement>;
  /** Whether `update` needs the columns that do not change. */
  readonly updatesWholeRows: boolean;

  bindValues(): BoundValues;
  /**
   * `(a, b) in (…)`: whether the columns hold one of the keys, which are given like rows: `keys[c][k]`. For a single column
   * the text is as independent of the number of keys as the product allows.
   */
  isOneOf(
    sql: readonly string[],
    columns: readonly BulkColumn[],
    keys: readonly (readonly unknown[])[],
    bound: BoundValues,
  ): string;
  /** How many keys one statement may name. */
  readonly maxKeys: number;
  /** Ends a select whose rows of `alias` are locked until the transaction ends; empty where a transaction locks them all. */
  lockClause(alias: string): string;
  /** Whether a locking select may contain outer joins, and is needed to see what other transactions have committed. */
  readonly locksOuterJoins: boolean;

  /** Form in which the driver takes a stored value; `undefined`: as it is. */
  toBound(column: BulkColumn): ((stored: unknown) => unknown) | undefined;
  /** What the database will make of a stored value when it keeps it, such as a time cut to whole seconds; `undefined`: the same. */
  toKept(column: BulkColumn): ((stored: unknown) => unknown) | undefined;
  /** SQL that reads a column so that `fromRead` understands it. */
  readSql(column: BulkColumn, sql: string): string;
  /** Stored value from what the driver gives, which is never null; `undefined`: it is the stored value. */
  fromRead(column: BulkColumn): ((read: unknown) => unknown) | undefined;

  /** What the database holds against a row, beyond what MikroORM reports by classes of its own. */
  constraintOf(error: DatabaseFault): RowConstraint | undefined;
  /** Whether the transaction failed by bad luck alone and may be tried again, beyond what MikroORM reports as a deadlock. */
  isTransient(error: DatabaseFault): boolean;
}
