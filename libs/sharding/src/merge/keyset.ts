import { type EntityMetadata, type EntityProperty, Reference, raw } from '@mikro-orm/core';
import { FanOutUnsupportedError } from '../errors/fan-out-unsupported.error.js';
import type { SortKey } from './sort-key.js';

/** Where one shard has been read up to: the value of each sort key in the last row taken from it. */
export type KeysetPosition = readonly unknown[];

/** A text column as something that is compared byte by byte. */
export type ByBytes = (column: string) => string;

/** The position of a row. */
export function positionOf(keys: readonly SortKey[], row: object): KeysetPosition {
  return keys.map(({ path }) => {
    let value: unknown = row;
    for (const name of path)
      value = Reference.unwrapReference((value as Record<string, never> | null)?.[name] as never);
    return value ?? null;
  });
}

/** The position of a row of which nothing is made yet; sqlite and MySQL have numbers for booleans. */
export function positionOfValues(keys: readonly SortKey[], values: readonly unknown[]): KeysetPosition {
  return keys.map(({ kind }, index) => {
    const value = values[index] ?? null;
    return kind === 'boolean' && value !== null ? Boolean(Number(value)) : value;
  });
}

/**
 * The rows behind `position`, as a condition: later in the first key, or equal there and later in the second, and so on,
 * where null is a value with a place of its own and text is compared byte by byte.
 */
export function behind(keys: readonly SortKey[], position: KeysetPosition, columns: ColumnOf): object {
  const branches = keys.flatMap((key, index) => {
    const later = laterThan(key, position[index], columns);
    return later ? [{ $and: [...keys.slice(0, index).map((it, at) => equal(it, position[at], columns)), later] }] : [];
  });
  // Nothing is later than a row whose keys all hold the last value there is; that its primary key is one rules this out.
  return { $or: branches };
}

/** The column of a text key, to be compared byte by byte. Asked for text only. */
export type ColumnOf = (key: SortKey) => (alias: string) => string;

function equal(key: SortKey, value: unknown, columns: ColumnOf): object {
  return value === null ? nest(key.path, null) : compared(key, '$eq', value, columns);
}

function laterThan(key: SortKey, value: unknown, columns: ColumnOf): object | undefined {
  const { path, nullsFirst, nullable, descending } = key;
  if (value === null) return nullsFirst ? nest(path, { $ne: null }) : undefined;
  const later = compared(key, descending ? '$lt' : '$gt', value, columns);
  return nullable && !nullsFirst ? { $or: [later, nest(path, null)] } : later;
}

function compared(key: SortKey, operator: string, value: unknown, columns: ColumnOf): object {
  assertFinite(value);
  if (key.kind !== 'text') return nest(key.path, { [operator]: value });
  return { [raw(columns(key)) as unknown as string]: { [operator]: value } };
}

/** `['size', 'unit']` and a value → `{ size: { unit: value } }`. */
function nest(path: readonly string[], value: unknown): object {
  return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object;
}

/**
 * The columns of text keys, when each can be named.
 * @throws {FanOutUnsupportedError} for one that another table of the hierarchy holds, and for times finer than a `Date`
 */
export function columnsOf(meta: EntityMetadata, byBytes: ByBytes): ColumnOf {
  return ({ path }) => {
    const property = columnProperty(meta, path);
    const inherited = meta.tptParent?.props.some(({ name }) => name === property.name);
    if (inherited) throw new FanOutUnsupportedError(`${meta.className}.${path.join('.')} is a text of another table.`);
    return (alias) => byBytes(`${alias}.${property.fieldNames[0]}`);
  };
}

/** @throws {FanOutUnsupportedError} when rows of different keys would look alike here, and be skipped or repeated */
export function assertExact(meta: EntityMetadata, keys: readonly SortKey[]): void {
  for (const { path, kind } of keys) {
    if (kind === 'date' && isFine(columnProperty(meta, path)))
      throw new FanOutUnsupportedError(`${meta.className}.${path.join('.')} is finer than milliseconds.`);
  }
}

/**
 * Neither JSON nor a condition of MikroORM has a word for what lies at the ends of a number or of time.
 * @throws {FanOutUnsupportedError}
 */
export function assertFinite(value: unknown): void {
  if ((typeof value !== 'number' && !(value instanceof Date)) || Number.isFinite(Number(value))) return;
  throw new FanOutUnsupportedError('Pages and streams cannot go on behind a row that is ordered by an infinite value.');
}

/** Whether a column holds times that a `Date` cannot. Inside a JSON document they are what a `Date` writes. */
export function isFine({ length = 0, columnTypes, object }: EntityProperty): boolean {
  return !object && (length > 3 || /\((4|5|6)\)/.test(columnTypes?.[0] ?? ''));
}

/** The property of a key, embedded ones under their flat name. */
export function columnProperty(meta: EntityMetadata, path: readonly string[]): EntityProperty {
  const [first = '', ...rest] = path;
  let property = (meta.properties as Record<string, EntityProperty>)[first] as EntityProperty;
  for (const name of rest) {
    property = Object.values(property.embeddedProps).find((it) => it.embedded?.[1] === name) as EntityProperty;
  }
  return property;
}
