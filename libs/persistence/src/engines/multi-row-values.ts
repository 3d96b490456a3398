import type { BoundValues, BulkDialect, BulkRows, BulkStatement, SharedValue } from './bulk-dialect.js';

/** What one statement may hold. */
export interface StatementLimits {
  readonly rows: number;
  readonly parameters: number;
  /** Characters of all bound values together. */
  readonly characters: number;
}

type Columns = BulkRows['columns'];

/** Values as the driver takes them; columns that need no conversion are not copied. */
export function boundColumns(rows: BulkRows, dialect: Pick<BulkDialect, 'toBound'>): readonly (readonly unknown[])[] {
  return rows.columns.map((column, c) => {
    const values = rows.values[c] ?? [];
    const convert = dialect.toBound(column);
    return convert ? values.map((value) => (value === null ? null : convert(value))) : values;
  });
}

/** Converts anew only what differs from the value before: rows of one write have mostly the same few times. */
export function rememberingLast(convert: (value: unknown) => unknown): (value: unknown) => unknown {
  let last: { readonly value: unknown; readonly converted: unknown } | undefined;
  return (value) => {
    if (last?.value !== value) last = { value, converted: convert(value) };
    return last?.converted;
  };
}

/** Shared values as columns like any other: multi-row VALUES cannot say a value once for all rows. */
export function repeated(rows: BulkRows, shared: readonly SharedValue[] | undefined): BulkRows {
  if (!shared) return rows;
  return {
    ...rows,
    columns: [...rows.columns, ...shared.map(({ column }) => column)],
    values: [...rows.values, ...shared.map(({ value }) => Array<unknown>(rows.count).fill(value))],
  };
}

/** `(?, ?), (?, ?), …`, made once for each number of rows. */
export function createTuples(columns: Columns): (rows: number) => string {
  const tuple = `(${columns.map((column) => column.wrapBound?.('?') ?? '?').join(', ')})`;
  return (rows) => `${tuple}, `.repeat(rows - 1) + tuple;
}

function lengthOf(value: unknown): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 8;
}

/** Parameters in the order of the placeholders: row by row. Ends early, after at least one row, at the limit of characters. */
function flatten(values: readonly (readonly unknown[])[], from: number, rows: number, limits: StatementLimits) {
  const parameters: unknown[] = [];
  let characters = 0;
  let row = 0;
  while (row < rows && (row === 0 || characters < limits.characters)) {
    for (const column of values) {
      const value = column[from + row];
      characters += lengthOf(value);
      parameters.push(value);
    }
    row++;
  }
  return { parameters, rows: row };
}

/**
 * Cuts `rows` into statements of multi-row VALUES. Full statements share one SQL text, so that a driver, or a check that
 * caches by text, sees it once.
 *
 * @param toSql  makes the statement around the tuples
 */
export function* multiRowStatements(
  rows: BulkRows,
  values: readonly (readonly unknown[])[],
  limits: StatementLimits,
  toSql: (tuples: string) => string,
): Iterable<BulkStatement> {
  const tuples = createTuples(rows.columns);
  const most = Math.max(1, Math.min(limits.rows, Math.floor(limits.parameters / rows.columns.length)));
  const full = rows.count >= most ? toSql(tuples(most)) : '';
  for (let from = 0; from < rows.count; ) {
    const batch = flatten(values, from, Math.min(most, rows.count - from), limits);
    const sql = batch.rows === most ? full : toSql(tuples(batch.rows));
    yield { sql, parameters: batch.parameters, affects: batch.rows };
    from += batch.rows;
  }
}

/** Values whose placeholders are question marks. */
export function bindQuestionMarks(): BoundValues {
  const parameters: unknown[] = [];
  return {
    parameters,
    bind(value) {
      parameters.push(value);
      return '?';
    },
  };
}

/** `a in (?, ?)`, or `(a, b) in ((?, ?), (?, ?))`. */
export function inList(sql: readonly string[], keys: readonly (readonly unknown[])[], bound: BoundValues): string {
  const [first = []] = keys;
  const tuples = first.map((_, k) => keys.map((column) => bound.bind(column[k])).join(', '));
  return keys.length === 1
    ? `${sql[0]} in (${tuples.join(', ')})`
    : `(${sql.join(', ')}) in ((${tuples.join('), (')}))`;
}
