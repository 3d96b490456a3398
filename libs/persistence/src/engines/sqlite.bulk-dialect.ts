import type { BulkColumn, BulkDialect, BulkRows, BulkStatement } from './bulk-dialect.js';
import { bindQuestionMarks, boundColumns, inList, multiRowStatements, repeated } from './multi-row-values.js';

/**
 * Measured with statements that are kept: 50 to 500 rows cost the same, and short ones take less memory. SQLite allows
 * 32,766 parameters. What is bound never becomes SQL text, so characters are no limit.
 */
const LIMITS = { rows: 100, parameters: 32_000, characters: Number.POSITIVE_INFINITY };

function update(rows: BulkRows, keys: number, sets: number): Iterable<BulkStatement> {
  const written = { ...rows, columns: rows.columns.slice(0, keys + sets) };
  const all = written.columns.map(({ name }, c) => ({ name, value: `v.column${c + 1}` }));
  const assignments = all.slice(keys).map(({ name, value }) => `${name} = ${value}`);
  const matches = all.slice(0, keys).map(({ name, value }) => `t.${name} = ${value}`);
  return multiRowStatements(
    written,
    boundColumns(written, sqliteBulkDialect),
    LIMITS,
    (tuples) =>
      `update ${rows.table} as t set ${assignments.join(', ')} from (values ${tuples}) as v where ${matches.join(' and ')}`,
  );
}

/** The driver binds neither booleans nor dates. */
function toBindable(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value instanceof Date ? value.getTime() : value;
}

function toMilliseconds(read: unknown): unknown {
  // A default of the table may have left text, which SQLite understands as UTC.
  return typeof read === 'string' ? Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(read) ? read : `${read}Z`) : read;
}

/** SQLite: multi-row VALUES, one connection, a transaction locks everything. */
export const sqliteBulkDialect: BulkDialect = {
  insert(own, shared) {
    const rows = repeated(own, shared);
    const names = rows.columns.map(({ name }) => name).join(', ');
    return multiRowStatements(
      rows,
      boundColumns(rows, sqliteBulkDialect),
      LIMITS,
      (tuples) => `insert into ${rows.table} (${names}) values ${tuples}`,
    );
  },
  update,
  updatesWholeRows: false,

  bindValues: bindQuestionMarks,
  isOneOf(sql, _columns, keys, bound) {
    const list = inList(sql, keys, bound);
    // Lists of tuples are a table here.
    return keys.length === 1 ? list : list.replace(' in (', ' in (values ');
  },
  maxKeys: 2000,
  lockClause: () => '',
  locksOuterJoins: false,

  toBound: ({ kind }) => (kind === 'boolean' || kind === 'custom' ? toBindable : undefined),
  toKept: () => undefined,
  // The driver reads integers as doubles, which hold 53 bits.
  readSql: ({ kind }, sql) => (kind === 'bigint' ? `cast(${sql} as text)` : sql),
  fromRead({ kind }: BulkColumn) {
    if (kind === 'boolean') return Boolean;
    if (kind === 'instant') return toMilliseconds;
    // A bare number in a JSON column is kept as a number: the column's affinity is numeric.
    return kind === 'json' ? String : undefined;
  },

  constraintOf: ({ message }) => (/datatype mismatch|string or blob too big/.test(message) ? 'value' : undefined),
  // Another process wrote between this transaction's first read and its first write.
  isTransient: ({ code }) => code === 'SQLITE_BUSY_SNAPSHOT',
};
