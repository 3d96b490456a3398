import type { DriverRow, RowColumn } from './row-columns.js';

/** Reads one value of a driver's row. */
type Read = (row: DriverRow) => unknown;

/** A value to set in a row that is made, or an object of such values. */
type Setter = { readonly name: string } & (
  | { readonly key: string; readonly convert: RowColumn['convert'] }
  | { readonly read: Read }
);

/**
 * Makes plain rows of a driver's rows that all have the columns of `sample`.
 *
 * @param sample  a class-table query gives columns of the tables above with the alias of the table: `p1__name`
 */
export function createRowMapper(columns: readonly RowColumn[], sample: DriverRow): (row: DriverRow) => object {
  const setters = settersOf(columns, sample, '');
  return (row) => build(setters, row);
}

/** Reads the values of `columns`, in their order. */
export function createValuesReader(columns: readonly RowColumn[], sample: DriverRow): (row: DriverRow) => unknown[] {
  const reads = columns.map((column) => readerOf(column, sample));
  return (row) => reads.map((read) => read(row));
}

function build(setters: readonly Setter[], row: DriverRow): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const setter of setters) {
    if ('read' in setter) {
      made[setter.name] = setter.read(row);
    } else {
      const value = row[setter.key];
      made[setter.name] = setter.convert && value !== null ? setter.convert(value) : value;
    }
  }
  return made;
}

/** Columns in the order given; those of one embedded value become one object, or null where all of them are. */
function settersOf(columns: readonly RowColumn[], sample: DriverRow, prefix: string): Setter[] {
  const groups = Map.groupBy(columns, ({ path }) => path.slice(prefix.length).split('.', 1)[0] ?? path);
  return [...groups].map(([name, group]): Setter => {
    const [column] = group as [RowColumn];
    if (column.path !== prefix + name) return embeddedSetter(name, settersOf(group, sample, `${prefix}${name}.`));
    if (column.fields.length > 1) return { name, read: readerOf(column, sample) };
    return { name, key: keyOf(column.fields[0] ?? '', sample), convert: column.convert };
  });
}

function embeddedSetter(name: string, setters: readonly Setter[]): Setter {
  return {
    name,
    read(row) {
      const made = build(setters, row);
      return Object.values(made).every((value) => value === null) ? null : made;
    },
  };
}

function readerOf({ fields, convert = (read) => read }: RowColumn, sample: DriverRow): Read {
  const keys = fields.map((field) => keyOf(field, sample));
  const [key = ''] = keys;
  if (keys.length === 1) return (row) => (row[key] === null ? null : convert(row[key]));
  return (row) => (keys.some((it) => row[it] === null) ? null : convert(keys.map((it) => row[it])));
}

function keyOf(field: string, sample: DriverRow): string {
  if (field in sample) return field;
  return Object.keys(sample).find((key) => key.endsWith(`__${field}`)) ?? field;
}
