import type { SqlEntityManager } from '@mikro-orm/sql';
import type { EntityLayout } from './entity-layout.js';
import { send, tableOf } from './table-sql.js';

/** Rows as the database has them, locked; values by column of the layout: `values[column][row]`. */
export interface ExistingRows {
  readonly count: number;
  readonly values: readonly (readonly unknown[])[];
  /** Whether a row is of the layout's class; of another one, values of tables that it lacks are null. */
  readonly isOfClass: readonly boolean[];
}

/** The first table that holds a column. */
function aliasOf({ tables }: EntityLayout, column: number): string {
  return `t${tables.findIndex(({ columns }) => columns.includes(column))}`;
}

/** `from product as t0 left join book as t1 on t1.tenant_id = t0.tenant_id and t1.id = t0.id`. */
function fromSql(em: SqlEntityManager, layout: EntityLayout): string {
  const names = layout.keys.map((key) => layout.columns[key]?.name);
  const tables = layout.tables.map(({ meta }, t) => {
    const table = `${tableOf(em, meta)} as t${t}`;
    const on = names.map((name) => `t${t}.${name} = t0.${name}`);
    return t === 0 ? table : `left join ${table} on ${on.join(' and ')}`;
  });
  return `from ${tables.join(' ')} ${descendantJoins(em, layout)}`;
}

/** Joins the tables of classes below, each of which may have a part of the row. */
export function descendantJoins(em: SqlEntityManager, { descendants, keys, columns }: EntityLayout): string {
  const names = keys.map((key) => columns[key]?.name);
  const joins = descendants.map((meta, d) => {
    const on = names.map((name) => `d${d}.${name} = t0.${name}`);
    return `left join ${tableOf(em, meta)} as d${d} on ${on.join(' and ')} `;
  });
  return joins.join('');
}

/** `f0 … fn`: null where the class below has no part of the row. */
export function descendantFlags({ descendants, keys, columns }: EntityLayout): string[] {
  return descendants.map((_, d) => `d${d}.${columns[keys[0] ?? 0]?.name} as f${d}`);
}

/** `c0 … cn` for the columns, and in which tables the row stands. */
function selectSql(layout: EntityLayout): string {
  const columns = layout.columns.map(
    (column, c) => `${column.readSql(`${aliasOf(layout, c)}.${column.name}`)} as c${c}`,
  );
  const leafKey = layout.columns[layout.keys[0] ?? 0]?.name;
  const leaf = `t${layout.tables.length - 1}.${leafKey} as leaf`;
  return `select ${[...columns, leaf, ...descendantFlags(layout)].join(', ')}`;
}

/**
 * Reads and locks the rows whose columns at `places` hold one of the keys, which are given by column: `keys[c][k]`.
 * One statement for as many keys as the engine takes. A column that has one value for all keys, such as the tenant, is
 * compared once.
 */
export async function readExisting(
  em: SqlEntityManager,
  layout: EntityLayout,
  places: readonly number[],
  keys: readonly (readonly unknown[])[],
): Promise<ExistingRows> {
  const { dialect, columns } = layout;
  const head = `${selectSql(layout)} ${fromSql(em, layout)}where `;
  const found: Record<string, unknown>[] = [];
  const total = keys[0]?.length ?? 0;
  for (let from = 0; from < total; from += dialect.maxKeys) {
    const part = keys.map((values) => values.slice(from, from + dialect.maxKeys));
    const bound = dialect.bindValues();
    const condition = whereKeys(layout, places, part, bound);
    const { rows } = await send(em, head + condition + dialect.lockClause('t0'), bound.parameters);
    found.push(...rows);
  }
  const values = columns.map((column, c) => {
    const name = `c${c}`;
    return found.map((row) => (row[name] === null ? null : column.type.fromRead(row[name])));
  });
  return { count: found.length, values, isOfClass: found.map((row) => isOfClass(layout, row)) };
}

function isOfClass({ columns, meta, descendants }: EntityLayout, row: Record<string, unknown>): boolean {
  const discriminator = columns.findIndex(({ role }) => role === 'discriminator');
  if (discriminator >= 0 && String(row[`c${discriminator}`]) !== String(meta.discriminatorValue)) return false;
  return row.leaf !== null && descendants.every((_, d) => row[`f${d}`] === null);
}

/** The condition for keys; columns whose value is the same for all of them come first, as plain equalities. */
export function whereKeys(
  layout: EntityLayout,
  places: readonly number[],
  keys: readonly (readonly unknown[])[],
  bound: ReturnType<EntityLayout['dialect']['bindValues']>,
  alias?: string,
): string {
  const { dialect } = layout;
  const parts = places.map((place, p) => {
    const column = layout.columns[place] as EntityLayout['columns'][number];
    const toBound = dialect.toBound(column);
    const values = (keys[p] ?? []).map((value) => (toBound ? toBound(value) : value));
    const sql = `${alias ?? aliasOf(layout, place)}.${column.name}`;
    return { sql, column, values, isSame: values.every((value) => value === values[0]) };
  });
  const varying = parts.filter(({ isSame }) => !isSame);
  // All keys are the same one: nothing varies, and one comparison is as good as a list.
  const equalities = parts.filter(({ isSame }) => isSame).map(({ sql, values }) => `${sql} = ${bound.bind(values[0])}`);
  const list =
    varying.length === 0
      ? []
      : [
          dialect.isOneOf(
            varying.map(({ sql }) => sql),
            varying.map(({ column }) => column),
            varying.map(({ values }) => values),
            bound,
          ),
        ];
  return [...equalities, ...list].join(' and ');
}
