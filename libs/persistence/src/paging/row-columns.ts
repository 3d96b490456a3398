import { type EntityMetadata, type EntityProperty, type Platform, ReferenceKind } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { storedKindOf } from '../bulk/stored-kind.js';
import { engineOf } from '../engines/engines.js';
import { toKey } from '../events/stored-shape.js';

/** A row as the driver gives it: values by name of the column. */
export type DriverRow = Readonly<Record<string, unknown>>;

/** One value of a row: what to select, and how it comes out of what was selected. */
export interface RowColumn {
  /** Path of the property: `price.amount`. */
  readonly path: string;
  /** Name that a query builder selects it by. */
  readonly property: string;
  /** Its columns: several for the key of a relation. */
  readonly fields: readonly string[];
  /** The value as an entity has it, from those of the columns; never called with null. `undefined`: it is the same. */
  readonly convert?: (read: unknown) => unknown;
}

interface Tools {
  readonly em: SqlEntityManager;
  readonly platform: Platform;
  readonly meta: EntityMetadata;
}

/** The columns behind top-level properties; an embedded one has several. @throws {TypeError} for what no column holds */
export function rowColumnsOf(em: SqlEntityManager, meta: EntityMetadata, names: readonly string[]): RowColumn[] {
  const tools = { em, platform: em.getPlatform(), meta };
  return names.flatMap((name) => columnsOf(tools, propertyOf(meta, name), name));
}

/** Every property that a plain read of the class loads. */
export function readableNames(meta: EntityMetadata): string[] {
  const isRead = (it: EntityProperty) => !it.embedded && !it.lazy && it.persist !== false && isStored(it);
  return meta.props.filter(isRead).map(({ name }) => name);
}

function isStored({ kind, owner, formula, fieldNames }: EntityProperty): boolean {
  if (kind === ReferenceKind.ONE_TO_MANY || kind === ReferenceKind.MANY_TO_MANY || formula) return false;
  return (
    kind === ReferenceKind.EMBEDDED || (Boolean(fieldNames?.length) && (kind !== ReferenceKind.ONE_TO_ONE || owner))
  );
}

/** `price.amount` is the property `price_amount`. */
function propertyOf(meta: EntityMetadata, path: string): EntityProperty {
  const [first = '', ...rest] = path.split('.');
  let property = meta.properties[first as never] as EntityProperty | undefined;
  for (const name of rest) property = property?.embeddedProps?.[name];
  if (property && isStored(property)) return property;
  throw new TypeError(`${meta.className} has no stored property ${path}.`);
}

function columnsOf(tools: Tools, property: EntityProperty, path: string): RowColumn[] {
  const { name, kind, fieldNames } = property;
  if (kind === ReferenceKind.EMBEDDED && !property.object && !property.array) {
    const parts = Object.entries(property.embeddedProps);
    return parts.flatMap(([part, it]) => columnsOf(tools, it, `${path}.${part}`));
  }
  const convert = converterOf(tools, property);
  return [{ path, property: name, fields: fieldNames, ...(convert && { convert }) }];
}

function converterOf({ em, platform }: Tools, property: EntityProperty): RowColumn['convert'] {
  const { customType, targetMeta, kind } = property;
  if (kind === ReferenceKind.EMBEDDED) return (read) => (typeof read === 'string' ? JSON.parse(read) : read);
  if (targetMeta) return (read) => toKey(targetMeta, read);
  if (customType) return (read) => customType.convertToJSValue(read, platform);
  const stored = storedKindOf(property, platform);
  if (stored === 'boolean') return Boolean;
  if (stored !== 'instant') return undefined;
  const column = { name: property.name, kind: stored, sqlType: property.columnTypes[0] ?? '' };
  const toMs = engineOf(em).bulk.fromRead(column) as (read: unknown) => number;
  return (read) => (read instanceof Date ? read : new Date(toMs(read)));
}
