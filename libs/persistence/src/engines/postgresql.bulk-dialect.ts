import type { BulkColumn, BulkDialect, BulkRows, BulkStatement, SharedValue } from './bulk-dialect.js';
import { JoinedTexts } from './joined-texts.js';
import { boundColumns, inList, rememberingLast, repeated } from './multi-row-values.js';

/** Parameters are few, one array for each column; what grows is the message, so rows are cut at a handy size. */
const ROWS_PER_STATEMENT = 5000;

/** Types whose arrays travel as they are. Anything else travels as text and is cast in the statement. */
const ARRAY_TYPES = new Set(
  (
    'uuid,int,int2,int4,int8,integer,smallint,bigint,boolean,bool,numeric,decimal,real,float4,float8,double precision,' +
    'date,time,timestamp,timestamptz,timestamp with time zone,timestamp without time zone,json,jsonb,bytea'
  ).split(','),
);
const TEXT_TYPES = /^(text|varchar|character varying|char|character|bpchar)\b/;

interface Transport {
  /** Type of a bound value. */
  readonly element: string;
  /** Type of the bound array. */
  readonly array: string;
  /** Cast that turns an element into the column's type, where that is another. */
  readonly cast: string;
}

/**
 * How a column's values travel. Lengths are left out: a cast to `varchar(20)` cuts silently, an assignment to such a
 * column is an error.
 */
function transportOf({ sqlType }: BulkColumn): Transport {
  const base = sqlType
    .toLowerCase()
    .replace(/\([^)]*\)/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    // A column that numbers itself is declared by a name that is no type.
    .replace(/^(small|big)?serial$/, (_, size = '') => `${size}int`);
  const to = (element: string, cast = '') => ({ element, array: `${element}[]`, cast });
  if (TEXT_TYPES.test(base) && !base.endsWith(']')) return to('text');
  return ARRAY_TYPES.has(base) ? to(base) : to('text', `::${sqlType}`);
}

const aliasOf = (c: number) => `c${c}`;

/** Columns as they travel: each an array, or long texts as one. */
type Packed = readonly (readonly unknown[] | JoinedTexts)[];

/**
 * Joins long texts. Not the key of a tenant: those who guard statements look at each of them.
 * @param values  bound values
 */
function pack({ columns }: BulkRows, values: readonly (readonly unknown[])[]): Packed {
  return columns.map((column, c) => {
    const own = values[c] ?? [];
    const isLong = column.kind !== 'uuid' && column.sqlType === 'text';
    return (isLong ? JoinedTexts.find(own) : undefined) ?? own;
  });
}

/** `unnest($1::uuid[], $2::text[]) as v(c0, c1)`. */
function unnest(columns: readonly BulkColumn[], packed: Packed): string {
  const arrays = columns.map((column, c) =>
    packed[c] instanceof JoinedTexts ? packed[c].toSql(`$${c + 1}`) : `$${c + 1}::${transportOf(column).array}`,
  );
  return `unnest(${arrays.join(', ')}) as v(${columns.map((_, c) => aliasOf(c)).join(', ')})`;
}

function valueSql(column: BulkColumn, c: number): string {
  const sql = `v.${aliasOf(c)}${transportOf(column).cast}`;
  return column.wrapBound?.(sql) ?? sql;
}

/** `$8::text`: one value for every row. */
function sharedSql({ column }: SharedValue, place: number): string {
  const { element, cast } = transportOf(column);
  const sql = `$${place}::${element}${cast}`;
  return column.wrapBound?.(sql) ?? sql;
}

function toBoundShared({ column, value }: SharedValue): unknown {
  return value === null ? null : (postgresqlBulkDialect.toBound(column)?.(value) ?? value);
}

/** One row needs neither arrays nor their elements escaped. */
function* insertOne(rows: BulkRows): Iterable<BulkStatement> {
  const { table, columns, count } = rows;
  const values = columns.map((column, c) => column.wrapBound?.(`$${c + 1}`) ?? `$${c + 1}`);
  const sql = `insert into ${table} (${columns.map(({ name }) => name).join(', ')}) values (${values.join(', ')})`;
  yield { sql, parameters: boundColumns(rows, postgresqlBulkDialect).map(([value]) => value), affects: count };
}

/** @param toSql  makes the statement around `unnest(…)` */
function* cut(
  rows: BulkRows,
  toSql: (source: string) => string,
  shared: readonly unknown[] = [],
): Iterable<BulkStatement> {
  const values = boundColumns(rows, postgresqlBulkDialect);
  for (let from = 0; from < rows.count; from += ROWS_PER_STATEMENT) {
    const to = Math.min(rows.count, from + ROWS_PER_STATEMENT);
    const packed = pack(rows, to - from === rows.count ? values : values.map((column) => column.slice(from, to)));
    const own = packed.map((column) => (column instanceof JoinedTexts ? column.text : column));
    yield { sql: toSql(unnest(rows.columns, packed)), parameters: [...own, ...shared], affects: to - from };
  }
}

/** PostgreSQL: one array for each column, unnested side by side. The text of a statement does not depend on the rows. */
export const postgresqlBulkDialect: BulkDialect = {
  insert(rows, shared = []) {
    if (rows.count === 1) return insertOne(repeated(rows, shared));
    const names = [...rows.columns, ...shared.map(({ column }) => column)].map(({ name }) => name).join(', ');
    const { length } = rows.columns;
    const values = [...rows.columns.map(valueSql), ...shared.map((it, s) => sharedSql(it, length + s + 1))].join(', ');
    const toSql = (source: string) => `insert into ${rows.table} (${names}) select ${values} from ${source}`;
    return cut(rows, toSql, shared.map(toBoundShared));
  },
  update(rows, keys, sets) {
    const written = { ...rows, columns: rows.columns.slice(0, keys + sets), values: rows.values.slice(0, keys + sets) };
    const all = written.columns.map((column, c) => ({ name: column.name, value: valueSql(column, c) }));
    const assignments = all.slice(keys).map(({ name, value }) => `${name} = ${value}`);
    const matches = all.slice(0, keys).map(({ name, value }) => `t.${name} = ${value}`);
    const [assigned, where] = [assignments.join(', '), matches.join(' and ')];
    return cut(written, (source) => `update ${rows.table} as t set ${assigned} from ${source} where ${where}`);
  },

  updatesWholeRows: false,

  bindValues() {
    const parameters: unknown[] = [];
    return { parameters, bind: (value) => `$${parameters.push(value)}` };
  },
  isOneOf(sql, [column], keys, bound) {
    if (keys.length > 1 || !column) return inList(sql, keys, bound);
    return `${sql[0]} = any(${bound.bind(keys[0])}::${transportOf(column).array})`;
  },
  maxKeys: ROWS_PER_STATEMENT,
  lockClause: (alias) => ` for update of ${alias}`,
  locksOuterJoins: false,

  toBound({ kind }) {
    if (kind === 'instant') return rememberingLast((milliseconds) => new Date(milliseconds as number).toISOString());
    return kind === 'custom' ? (value) => (value instanceof Date ? value.toISOString() : value) : undefined;
  },
  toKept({ kind, sqlType }) {
    if (kind === 'uuid') return (value) => (value as string).toLowerCase();
    const digits = Number(/\((\d)\)/.exec(sqlType)?.[1] ?? 6);
    if (kind !== 'instant' || digits >= 3) return undefined;
    const unit = 10 ** (3 - digits);
    return (milliseconds) => Math.round((milliseconds as number) / unit) * unit;
  },
  // As text, the driver does not parse it into numbers that cannot hold it.
  readSql: ({ kind }, sql) => (kind === 'json' ? `${sql}::text` : sql),
  fromRead({ kind, sqlType }) {
    if (kind === 'instant') return toMilliseconds;
    if (kind === 'bigint') return String;
    // `char(3)` comes back padded.
    return kind === 'text' && /^(char|bpchar)/i.test(sqlType) ? (read) => (read as string).trimEnd() : undefined;
  },

  constraintOf({ code }) {
    // Since PostgreSQL 18 a foreign key with `on delete restrict` has a code of its own.
    if (code === '23001') return 'foreign_key';
    if (code === '23P01') return 'unique';
    // Data exceptions: too long, out of range, not of the column's type, a NUL in text.
    return code?.startsWith('22') ? 'value' : undefined;
  },
  isTransient: () => false,
};

/** `2026-01-31 12:00:00.123+00`, and without an offset for columns that know no time zone. */
function toMilliseconds(read: unknown): number {
  const text = read as string;
  return Date.parse(/[+-]\d\d(:?\d\d)?$/.test(text) ? text.replace(/([+-]\d\d)$/, '$1:00') : `${text}Z`);
}
