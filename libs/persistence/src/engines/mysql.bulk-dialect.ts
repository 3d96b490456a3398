import type { BulkColumn, BulkDialect, BulkRows, BulkStatement } from './bulk-dialect.js';
import {
  bindQuestionMarks,
  boundColumns,
  inList,
  multiRowStatements,
  rememberingLast,
  repeated,
} from './multi-row-values.js';

/**
 * A statement must fit into `max_allowed_packet`, 16 MB by default on MariaDB and 64 on MySQL, 4 on older servers: with
 * quotes and UTF-8, a character may take four bytes.
 */
const LIMITS = { rows: 1000, parameters: 65_535, characters: 1_000_000 };

const insertSql = (rows: BulkRows, tuples: string) =>
  `insert into ${rows.table} (${rows.columns.map(({ name }) => name).join(', ')}) values ${tuples}`;

/**
 * Neither product updates from a list of rows, so the whole row is offered as an insert and lands on itself. It cannot
 * land on another row: InnoDB looks for duplicates in the primary key first, and these rows exist and are locked. A
 * second unique key that would collide is then an error like in any update.
 */
function* update(rows: BulkRows, keys: number, sets: number): Iterable<BulkStatement> {
  const assignments = rows.columns.slice(keys, keys + sets).map(({ name }) => `${name} = values(${name})`);
  const statements = multiRowStatements(
    rows,
    boundColumns(rows, mysqlBulkDialect),
    LIMITS,
    (tuples) => `${insertSql(rows, tuples)} on duplicate key update ${assignments.join(', ')}`,
  );
  // A row that was updated counts twice, one that was inserted once.
  for (const statement of statements) yield { ...statement, affects: statement.affects * 2 };
}

/** `2026-01-31 12:00:00.123`: the session's time zone is UTC. */
function toDateTime(milliseconds: unknown): string {
  return new Date(milliseconds as number).toISOString().replace('T', ' ').slice(0, -1);
}

function fractionDigits({ sqlType }: BulkColumn): number {
  return Number(/\((\d)\)/.exec(sqlType)?.[1] ?? 0);
}

/** MySQL and MariaDB: multi-row VALUES, rows rewritten by `on duplicate key update`. */
export const mysqlBulkDialect: BulkDialect = {
  insert(own, shared) {
    const rows = repeated(own, shared);
    return multiRowStatements(rows, boundColumns(rows, mysqlBulkDialect), LIMITS, (tuples) => insertSql(rows, tuples));
  },
  update,
  updatesWholeRows: true,

  bindValues: bindQuestionMarks,
  isOneOf: (sql, _columns, keys, bound) => inList(sql, keys, bound),
  maxKeys: 2000,
  lockClause: () => ' for update',
  locksOuterJoins: true,

  toBound({ kind }) {
    if (kind === 'instant') return rememberingLast(toDateTime);
    return kind === 'custom' ? (value) => (value instanceof Date ? toDateTime(value) : value) : undefined;
  },
  toKept(column) {
    if (column.kind !== 'instant' || fractionDigits(column) >= 3) return undefined;
    const unit = 10 ** (3 - fractionDigits(column));
    return (milliseconds) => Math.round((milliseconds as number) / unit) * unit;
  },
  // As text, the driver does not parse it: a string in JSON could not be told from the text of one.
  readSql: ({ kind }, sql) => (kind === 'json' ? `cast(${sql} as char)` : sql),
  fromRead({ kind }: BulkColumn) {
    if (kind === 'boolean') return Boolean;
    // With a `T`, V8 reads it in two thirds of the time.
    if (kind === 'instant') return (read) => Date.parse(`${String(read).replace(' ', 'T')}Z`);
    // Small ones arrive as numbers, large ones as text.
    return kind === 'bigint' ? String : undefined;
  },

  // Too long, out of range, not of the column's type, not JSON, larger than a packet.
  constraintOf: ({ errno }) =>
    [1153, 1264, 1265, 1292, 1366, 1367, 1406, 3140].includes(errno ?? 0) ? 'value' : undefined,
  isTransient: () => false,
};

/** MariaDB cuts what a time column cannot hold, where MySQL rounds. */
export const mariadbBulkDialect: BulkDialect = {
  ...mysqlBulkDialect,
  toKept(column) {
    if (column.kind !== 'instant' || fractionDigits(column) >= 3) return undefined;
    const unit = 10 ** (3 - fractionDigits(column));
    return (milliseconds) => Math.floor((milliseconds as number) / unit) * unit;
  },
};
