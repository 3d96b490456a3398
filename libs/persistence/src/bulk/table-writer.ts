import type { SqlEntityManager } from '@mikro-orm/sql';
import type { BulkColumn } from '../engines/bulk-dialect.js';
import type { EntityLayout, TableLayout } from './entity-layout.js';
import { whereKeys } from './existing-rows.js';
import type { RowSet } from './row-set.js';
import { send, sendAll, tableOf } from './table-sql.js';

type Values = readonly (readonly unknown[])[];

const at = <T>(from: readonly T[], places: readonly number[]) => places.map((place) => from[place] as T);

/** Inserts new rows into every table of their class, root first. */
export async function insertRows(em: SqlEntityManager, layout: EntityLayout, set: RowSet): Promise<void> {
  if (set.rows.length === 0) return;
  for (const table of layout.tables) {
    for (const { places, positions } of shapesOf(layout, table, set)) {
      await insertShape(em, layout, table, set, places, positions);
    }
  }
}

async function insertShape(
  em: SqlEntityManager,
  { columns, dialect }: EntityLayout,
  { meta }: TableLayout,
  { values, rows }: RowSet,
  places: readonly number[],
  positions: readonly number[] | undefined,
): Promise<void> {
  const table = tableOf(em, meta);
  const own = at(values, places);
  const statements = dialect.insert({
    table,
    columns: at<BulkColumn>(columns, places),
    values: positions ? own.map((column) => at(column, positions)) : own,
    count: positions?.length ?? rows.length,
  });
  await sendAll(em, table, statements);
}

/** Rows that go into one statement, and the columns they have in common; without positions: all rows. */
interface Shape {
  readonly places: readonly number[];
  readonly positions?: readonly number[];
}

/**
 * A column that is left to the table's default must not be named. Rows that leave out the same ones go together; nearly
 * always that is all of them.
 */
function shapesOf({ columns }: EntityLayout, table: TableLayout, { values, rows }: RowSet): Shape[] {
  const optional = table.columns.filter(
    (place) => columns[place]?.hasTableDefault && values[place]?.includes(undefined),
  );
  if (optional.length === 0) return [{ places: table.columns }];
  const isLeftOut = (place: number, position: number) => values[place]?.[position] === undefined;
  const all = rows.map((_, position) => position);
  const groups = Map.groupBy(all, (position) => optional.filter((place) => isLeftOut(place, position)).join());
  return [...groups.values()].map((positions) => ({
    positions,
    places: table.columns.filter((place) => !optional.includes(place) || !isLeftOut(place, positions[0] as number)),
  }));
}

/**
 * Deletes rows, given by their primary keys, from every table of their class, the root's last.
 * @returns how many there were
 */
export async function deleteRows(em: SqlEntityManager, layout: EntityLayout, keys: Values): Promise<number> {
  const { dialect } = layout;
  const total = keys[0]?.length ?? 0;
  let deleted = 0;
  for (const { meta } of layout.tables.toReversed()) {
    deleted = 0;
    for (let from = 0; from < total; from += dialect.maxKeys) {
      const part = keys.map((values) => values.slice(from, from + dialect.maxKeys));
      const table = tableOf(em, meta);
      const bound = dialect.bindValues();
      const condition = whereKeys(layout, layout.keys, part, bound, table);
      deleted += (await send(em, `delete from ${table} where ${condition}`, bound.parameters)).affected;
    }
  }
  return deleted;
}

/** Rows that exist, as they shall be. */
export interface ChangedRows {
  readonly count: number;
  /** Every column of the layout, also those that stay as they are. */
  readonly values: Values;
  /** For a column, which rows change in it; `undefined`: none. */
  readonly changed: readonly (readonly boolean[] | undefined)[];
}

/** Updates rows in those tables, and those columns, in which any of them changes. */
export async function updateRows(em: SqlEntityManager, layout: EntityLayout, rows: ChangedRows): Promise<void> {
  const { keys, columns, dialect, tables } = layout;
  for (const { meta, columns: places } of tables) {
    const sets = places.filter((place) => rows.changed[place]);
    const positions: number[] = [];
    for (let r = 0; r < rows.count; r++) if (sets.some((place) => rows.changed[place]?.[r])) positions.push(r);
    if (positions.length === 0) continue;
    const rest = dialect.updatesWholeRows
      ? places.filter((place) => !keys.includes(place) && !sets.includes(place))
      : [];
    const written = [...keys, ...sets, ...rest];
    const table = tableOf(em, meta);
    const statements = dialect.update(
      {
        table,
        columns: at<BulkColumn>(columns, written),
        values: at(rows.values, written).map((column) => at(column, positions)),
        count: positions.length,
      },
      keys.length,
      sets.length,
    );
    await sendAll(em, table, statements);
  }
}
