import { type EntityMetadata, type EntityProperty, type QueryOrderMap, ReferenceKind, Utils } from '@mikro-orm/core';
import { FanOutUnsupportedError } from '../errors/fan-out-unsupported.error.js';
import type { ValueKind } from './compare-values.js';

/** One key of an order, down to what is needed to repeat the database's comparison here. */
export interface SortKey {
  /** Property, or embeddable and property. */
  readonly path: readonly string[];
  readonly kind: ValueKind;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  /** Without nulls their place is not mentioned in the SQL, so that a plain index serves the order. */
  readonly nullable: boolean;
}

type Properties = Record<string, EntityProperty>;

const DIRECTION = /^(asc|desc)(?: nulls (first|last))?$/;

/**
 * The full order of a query over several shards: the caller's keys, then those of the mapping, then the primary key, so
 * that ties are broken alike on every shard and from page to page.
 *
 * @param nullsAreLow  where nulls stand when the caller does not say: first in ascending order (sqlite, MariaDB, MySQL),
 *   or last (PostgreSQL)
 * @throws {FanOutUnsupportedError} for a key whose order cannot be repeated outside of the database
 */
export function sortKeysOf(meta: EntityMetadata, orderBy: unknown, nullsAreLow: boolean): SortKey[] {
  const orders = [...asList(orderBy), ...asList(meta.orderBy), primaryKeyOrder(meta)];
  const keys = orders.flatMap((order) => keysOf(meta, order, [], nullsAreLow));
  const seen = new Set<string>();
  return keys.filter(({ path }) => !seen.has(path.join('.')) && seen.add(path.join('.')));
}

function asList(orderBy: unknown): object[] {
  if (orderBy === undefined || orderBy === null) return [];
  return Array.isArray(orderBy) ? orderBy : [orderBy as object];
}

function primaryKeyOrder(meta: EntityMetadata): object {
  return Object.fromEntries(meta.primaryKeys.map((name) => [name, 'asc']));
}

function keysOf(meta: EntityMetadata, order: object, prefix: readonly string[], nullsAreLow: boolean): SortKey[] {
  return Reflect.ownKeys(order).flatMap((name) => {
    const property = typeof name === 'string' ? (meta.properties as Properties)[name] : undefined;
    if (!property)
      throw new FanOutUnsupportedError(`${meta.className} cannot be ordered by an expression over several shards.`);
    const direction = (order as Record<PropertyKey, unknown>)[name];
    const path = [...prefix, property.name];
    if (property.kind === ReferenceKind.EMBEDDED && Utils.isPlainObject(direction)) {
      return keysOf(embeddedMeta(property), direction, path, nullsAreLow);
    }
    const kind = valueKindOf(property);
    if (!kind) {
      throw new FanOutUnsupportedError(
        `${meta.className}.${path.join('.')} has no order that holds over several shards.`,
      );
    }
    const nullable = Boolean(property.nullable);
    return [{ path, kind, nullable, ...parseDirection(direction, nullsAreLow) }];
  });
}

/** Embedded properties are known to the owner under flat names; only their own names and types matter here. */
function embeddedMeta(property: EntityProperty): EntityMetadata {
  const properties = Object.values(property.embeddedProps).map((inner) => ({
    ...inner,
    name: inner.embedded?.[1] ?? inner.name,
  }));
  return {
    className: property.name,
    properties: Object.fromEntries(properties.map((inner) => [inner.name, inner])),
  } as unknown as EntityMetadata;
}

/** `asc`, `desc nulls last`, `1`, in any case. */
export function parseDirection(direction: unknown, nullsAreLow: boolean): Pick<SortKey, 'descending' | 'nullsFirst'> {
  const text = direction === 1 ? 'asc' : direction === -1 ? 'desc' : String(direction).toLowerCase();
  const [, way, nulls] = DIRECTION.exec(text) ?? [];
  if (!way) throw new FanOutUnsupportedError(`"${text}" is no direction to order by.`);
  const descending = way === 'desc';
  return { descending, nullsFirst: nulls ? nulls === 'first' : nullsAreLow !== descending };
}

/** How values of a column compare, on every engine alike; `undefined` where they do not. */
export function valueKindOf(property: EntityProperty): ValueKind | undefined {
  if (property.kind !== ReferenceKind.SCALAR || property.formula || property.persist === false) return undefined;
  const columnType = property.columnTypes?.[0]?.toLowerCase() ?? '';
  if (/json|\[\]|blob|bytea|array/.test(columnType) || property.nativeEnumName || property.type === 'ArrayType')
    return undefined;
  switch (property.runtimeType) {
    case 'number':
    case 'bigint':
    case 'boolean':
      return property.runtimeType as ValueKind;
    case 'Date':
      return 'date';
    case 'string':
      return stringKindOf(property, columnType);
    default:
      return property.enum ? 'text' : undefined;
  }
}

function stringKindOf({ type }: EntityProperty, columnType: string): ValueKind {
  if (/decimal|numeric/.test(columnType)) return 'decimal';
  if (/bigint/i.test(columnType) || /bigint/i.test(type)) return 'bigint';
  // These order alike under any collation, and take none on some engines.
  return /^uuid/i.test(type) || /^(uuid|date|time)/.test(columnType) ? 'ascii' : 'text';
}

/** MikroORM's form of an order, with an explicit place for nulls and a binary comparison of text. */
export function toOrderBy(keys: readonly SortKey[]): QueryOrderMap<object>[] {
  return keys.map(({ path, kind, descending, nullsFirst, nullable }) => {
    const nulls = nullable ? ` nulls ${nullsFirst ? 'first' : 'last'}` : '';
    const direction = `${descending ? 'desc' : 'asc'}${nulls}`;
    const value = kind === 'text' ? `binary ${direction}` : direction;
    return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as QueryOrderMap<object>;
  });
}
