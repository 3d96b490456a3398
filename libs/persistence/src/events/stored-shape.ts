import {
  BigIntType,
  type EntityMetadata,
  type EntityProperty,
  isRaw,
  JsonType,
  PolymorphicRef,
  ReferenceKind,
  Utils,
} from '@mikro-orm/core';
import { type ChangedValues, isReadableInChanges } from './change.js';

/** What MikroORM remembers of a row: database values by property, embedded ones flattened. */
export type Snapshot = Readonly<Record<string, unknown>>;

/** One stored property of a class. */
export interface StoredProperty {
  /** Name in a change: the property, or the path of an embedded one. */
  readonly path: string;
  /** Name in a snapshot. */
  readonly name: string;
  /** Columns of this property alone: a null composite relation shows in a loaded snapshot only by these. */
  readonly columns: readonly string[];
  readonly toValue: (stored: unknown) => unknown;
}

/** How the rows of one class look in a change. */
export interface StoredShape {
  readonly properties: readonly StoredProperty[];
  /** Kept outside MikroORM's snapshots, on the entity itself. */
  readonly versionName: string | undefined;
  /** Values that are the same for all rows: the discriminator of single-table inheritance. */
  readonly constants: ChangedValues;
}

/** The key that names an entity within its tenant: the tenant id both sides share is left out. */
export function toKey(meta: EntityMetadata, stored: unknown): unknown {
  if (stored == null) return null;
  const record = Utils.isPlainObject(stored) ? meta.primaryKeys.map((name) => Reflect.get(stored, name)) : stored;
  if (!Array.isArray(record)) return record;
  if (record.length === 1) return record[0];
  const own = record.filter((_, index) => meta.primaryKeys[index] !== 'tenantId');
  return own.length === 1 ? own[0] : own;
}

function toDate(stored: unknown): unknown {
  return typeof stored === 'number' || typeof stored === 'string' ? new Date(stored) : stored;
}

function toJson(stored: unknown): unknown {
  return typeof stored === 'string' ? JSON.parse(stored) : stored;
}

/** From the form in which MikroORM holds a column to the one a change promises. Not called with null. */
export function converterOf(prop: EntityProperty): (stored: unknown) => unknown {
  const { customType, targetMeta } = prop;
  if (targetMeta && prop.kind !== ReferenceKind.EMBEDDED) {
    return (stored) =>
      stored instanceof PolymorphicRef ? { type: stored.discriminator, id: stored.id } : toKey(targetMeta, stored);
  }
  if (customType && isReadableInChanges(customType)) return (stored) => customType.toChangedValue(stored);
  if (customType instanceof JsonType || prop.kind === ReferenceKind.EMBEDDED) return toJson;
  if (customType instanceof BigIntType) {
    return customType.mode === 'number' ? (stored) => Number(stored) : (stored) => String(stored);
  }
  if (prop.runtimeType === 'Date') return toDate;
  if (prop.runtimeType === 'boolean') return Boolean;
  return (stored) => stored;
}

/** `price.amount` for the snapshot's `price_amount`. */
function pathOf(meta: EntityMetadata, prop: EntityProperty): string {
  if (!prop.embedded) return prop.name;
  const [parent, child] = prop.embedded;
  return `${pathOf(meta, meta.properties[parent] as EntityProperty)}.${child}`;
}

function isStored(meta: EntityMetadata, prop: EntityProperty): boolean {
  if (prop.primary || prop.formula) return false;
  const parent = prop.embedded && meta.properties[prop.embedded[0]];
  // Children of an embedded object live inside its JSON; an inlined embedded object lives in its children.
  if (parent) return !parent.object && isStored(meta, parent);
  return true;
}

function describe(meta: EntityMetadata): StoredShape {
  const properties = meta.comparableProps
    .filter((prop) => isStored(meta, prop) && (prop.kind !== ReferenceKind.EMBEDDED || prop.object || prop.array))
    .map((prop) => {
      const convert = converterOf(prop);
      return {
        path: pathOf(meta, prop),
        name: prop.name,
        columns: prop.ownColumns ?? prop.fieldNames ?? [],
        toValue: (stored: unknown) => (stored == null ? null : isRaw(stored) ? stored : convert(stored)),
      };
    });
  const { discriminatorColumn } = meta.root;
  const constants = discriminatorColumn ? { [discriminatorColumn]: meta.discriminatorValue } : {};
  return { properties, versionName: meta.versionProperty, constants };
}

const shapes = new WeakMap<EntityMetadata, StoredShape>();

/** The shape of a concrete class; worked out once. */
export function shapeOf(meta: EntityMetadata): StoredShape {
  const shape = shapes.get(meta) ?? describe(meta);
  shapes.set(meta, shape);
  return shape;
}

/** Whether a snapshot says what the row holds for `property`, be it null. */
export function isKnown(property: StoredProperty, snapshot: Snapshot): boolean {
  return property.name in snapshot || property.columns.some((column) => column in snapshot);
}

/** The whole row as a change shows it. */
export function toValues(meta: EntityMetadata, snapshot: Snapshot, version: unknown): ChangedValues {
  const { properties, versionName, constants } = shapeOf(meta);
  const values: Record<string, unknown> = { ...constants };
  for (const { path, name, toValue } of properties) values[path] = toValue(snapshot[name]);
  if (versionName) values[versionName] = version;
  return values;
}
