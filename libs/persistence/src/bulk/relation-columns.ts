import { type EntityMetadata, type EntityProperty, Reference, ReferenceKind, Utils } from '@mikro-orm/core';
import { TenantOwned } from '../entities/tenant-owned.js';
import { BulkUnsupportedError } from '../errors/bulk-unsupported.error.js';
import { ForeignTenantValue, InvalidValue } from './invalid-value.js';
import {
  type ColumnRole,
  createBulkColumn,
  createReadSql,
  type MappedColumn,
  type MappingTools,
  type SourceRow,
} from './mapped-column.js';
import { createStoredValueType } from './stored-value.js';

/** Whether the rows of an entity belong to tenants by extending `TenantOwned`. */
export function isTenantOwned(meta: EntityMetadata): boolean {
  return meta.prototype instanceof TenantOwned;
}

/** One part of the target's key: which property, and where it stands in a key given as an array. */
interface KeyPart {
  readonly property: EntityProperty;
  readonly position: number;
}

function findKeyPart(meta: EntityMetadata, property: EntityProperty, target: EntityMetadata, field: string): KeyPart {
  const referenced = property.referencedColumnNames[property.joinColumns.indexOf(field)];
  const keys = target.getPrimaryProps();
  const position = keys.findIndex((key) => key.kind === ReferenceKind.SCALAR && key.fieldNames[0] === referenced);
  const key = keys[position];
  if (key) return { property: key, position };
  throw new BulkUnsupportedError(
    meta.className,
    `${property.name} refers to ${target.className} by something else than plain columns of its primary key`,
    'Flush such entities.',
  );
}

/** The key inside whatever may stand for an entity: the entity, a reference, its key as an object, an array or one value. */
function partOf(given: unknown, { property, position }: KeyPart, lastPosition: number): unknown {
  const value = Reference.unwrapReference(given as object);
  if (Array.isArray(value)) return value[position];
  if (Utils.isObject(value)) return value[property.name as keyof typeof value];
  // One value for a key of several: the tenant is left out, since both rows have the same.
  return position === lastPosition ? value : undefined;
}

/**
 * The columns of a to-one relation that are its own; with composite keys the tenant column belongs to the row itself.
 * A key may be given with or without its tenant, but never with another one.
 */
export function createRelationColumns(
  tools: MappingTools,
  meta: EntityMetadata,
  property: EntityProperty,
  role: ColumnRole,
): MappedColumn[] {
  const target = property.targetMeta;
  if (!target || property.polymorphic || property.targetKey || property.mapToPk)
    throw new BulkUnsupportedError(meta.className, `${property.name} is no plain relation`, 'Flush such entities.');
  const lastPosition = target.primaryKeys.length - 1;
  const tenantPart = target.getPrimaryProps().findIndex(({ name }) => name === 'tenantId');
  const hasTenant = isTenantOwned(target) && tenantPart >= 0;

  const assertOwn = (given: unknown, tenantId: string) => {
    const tenant = partOf(given, { property: target.properties.tenantId, position: tenantPart }, lastPosition);
    if (tenant !== undefined && tenant !== tenantId) throw new ForeignTenantValue();
  };
  // Relations of a pivot table that MikroORM makes by itself share columns, and none is said to be one's own.
  return (property.ownColumns ?? property.joinColumns).map((field) => {
    const part = findKeyPart(meta, property, target, field);
    const column = createBulkColumn(tools, property, field, part.property);
    const type = createStoredValueType(tools, part.property, column);
    const isTenant = hasTenant && part.position === tenantPart;
    return {
      ...column,
      property: property.name,
      topProperty: property.name,
      role: isTenant ? 'tenant' : role,
      type,
      nullable: Boolean(property.nullable),
      readSql: createReadSql(tools, part.property, column),
      take(row: SourceRow, tenantId: string) {
        const given = row[property.name];
        if (given === undefined || given === null) return given;
        if (hasTenant) assertOwn(given, tenantId);
        const value = isTenant ? tenantId : partOf(given, part, lastPosition);
        if (value === undefined || value === null) throw new InvalidValue('has no key: write its target first');
        return type.toStored(value);
      },
      hasTableDefault: false,
    };
  });
}
