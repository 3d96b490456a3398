import { type EntityManager, type EntityProperty, isRaw, type Platform } from '@mikro-orm/core';
import type { BulkColumn, BulkDialect } from '../engines/bulk-dialect.js';
import type { EmbeddedJson } from './embedded-json.js';
import { storedKindOf } from './stored-kind.js';
import { createStoredValueType, type StoredValueType } from './stored-value.js';

/** A row as it was given: a plain object, or an entity that nothing manages. */
export type SourceRow = Readonly<Record<string, unknown>>;

/** The part a column plays in its entity. */
export type ColumnRole = 'tenant' | 'key' | 'version' | 'discriminator' | 'value';

/** Makes a stored value. `now` is the same for all columns of a row, so that a new row has been created when it was updated. */
export type MakeValue = (row: SourceRow, em: EntityManager, now: Date) => unknown;

/** One column of an entity: how to find its value in a row, and how to store it. */
export interface MappedColumn extends BulkColumn {
  /** Path of the property, as in `Change`: `price.amount`. */
  readonly property: string;
  /** Name of the top-level property. */
  readonly topProperty: string;
  readonly role: ColumnRole;
  readonly type: StoredValueType;
  readonly nullable: boolean;
  /** SQL that reads it, for a qualified column. */
  readSql(sql: string): string;
  /**
   * The stored value of a given row: `undefined` when the row does not mention the property.
   * @throws {InvalidValue}
   */
  take(row: SourceRow, tenantId: string): unknown;
  /** Makes the value of a new row that does not mention the property, where the class itself gives none. */
  readonly initial?: MakeValue | undefined;
  /** Makes the value of a new row that has none, also not from `initial`. */
  readonly onCreate?: MakeValue;
  /** Makes the value of a row that changes. */
  readonly onUpdate?: MakeValue;
  /** The table has a default of its own, so that the column may be left out. */
  readonly hasTableDefault: boolean;
}

/** What columns are made of, the same for all columns of an entity. */
export interface MappingTools {
  readonly platform: Platform;
  readonly dialect: BulkDialect;
  embeddedJsonOf(property: EntityProperty): EmbeddedJson;
}

/** SQL side of `field`, a column of `property`. For a relation, `typed` is the key of its target that the column holds. */
export function createBulkColumn(
  { platform }: MappingTools,
  property: EntityProperty,
  field: string,
  typed: EntityProperty = property,
): BulkColumn {
  const { customType } = typed;
  const wrap = typed.hasConvertToDatabaseValueSQL ? customType?.convertToDatabaseValueSQL?.bind(customType) : undefined;
  return {
    name: platform.quoteIdentifier(field),
    kind: storedKindOf(typed, platform),
    sqlType: property.columnTypes[property.fieldNames.indexOf(field)] ?? 'text',
    ...(wrap && { wrapBound: (sql) => wrap(sql, platform) }),
  };
}

/** SQL that reads a column of `property`. */
export function createReadSql({ platform, dialect }: MappingTools, property: EntityProperty, column: BulkColumn) {
  const { customType } = property;
  const wrap = column.kind === 'custom' ? customType?.convertToJSValueSQL?.bind(customType) : undefined;
  return (sql: string) => dialect.readSql(column, wrap?.(sql, platform) ?? sql);
}

/** Names from the entity to the value: `['price', 'amount']`. */
function pathOf(property: EntityProperty, properties: Readonly<Record<string, EntityProperty>>): string[] {
  if (!property.embedded) return [property.name];
  const [parent, name] = property.embedded as [string, string];
  const owner = properties[parent];
  return owner ? [...pathOf(owner, properties), name] : [name];
}

/**
 * Reads along a path. An embedded value is given whole or not at all: inside one that is there, what is missing is null.
 */
function createReader([first = '', ...rest]: readonly string[]): (row: SourceRow) => unknown {
  if (rest.length === 0) return (row) => row[first];
  return (row) => {
    let value = row[first];
    if (value === undefined) return undefined;
    for (const name of rest) {
      if (value === null || value === undefined) return null;
      value = (value as SourceRow)[name];
    }
    return value ?? null;
  };
}

/** The column of a scalar property, or of a scalar inside an embedded value. */
export function createScalarColumn(
  tools: MappingTools,
  property: EntityProperty,
  properties: Readonly<Record<string, EntityProperty>>,
  role: ColumnRole,
): MappedColumn {
  const [field = property.name] = property.fieldNames;
  const column = createBulkColumn(tools, property, field);
  const type = createStoredValueType(tools, property, column);
  const path = pathOf(property, properties);
  const read = createReader(path);
  const { toStored } = type;
  const { onCreate, onUpdate, default: constant } = property;
  const hook = (make: typeof onCreate) =>
    make && ((row: SourceRow, em: EntityManager) => storedOrNull(make(row, em), type));
  return {
    ...column,
    property: path.join('.'),
    topProperty: path[0] ?? property.name,
    role,
    type,
    nullable: isNullable(property, properties),
    readSql: createReadSql(tools, property, column),
    take(row) {
      const value = read(row);
      return value === undefined || value === null ? value : toStored(value);
    },
    initial:
      constant === undefined || constant === null || isRaw(constant) ? undefined : () => storedOrNull(constant, type),
    onCreate: hook(onCreate),
    onUpdate: hook(onUpdate),
    hasTableDefault:
      Boolean(property.autoincrement) || (property.defaultRaw !== undefined && property.defaultRaw !== 'null'),
  };
}

/** What embedded values of a nullable property hold may be null, whatever the embeddable itself says. */
function isNullable(property: EntityProperty, properties: Readonly<Record<string, EntityProperty>>): boolean {
  if (property.nullable) return true;
  const owner = property.embedded && properties[property.embedded[0] as string];
  return owner ? isNullable(owner, properties) : false;
}

/** A value that code made, so that being absent means null. */
export function storedOrNull(value: unknown, type: StoredValueType): unknown {
  return value === undefined || value === null ? null : type.toStored(value);
}
