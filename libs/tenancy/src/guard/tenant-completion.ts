import { type EntityMetadata, type EntityProperty, isRaw, Reference, Utils } from '@mikro-orm/core';
import { ForeignTenantError } from './errors/foreign-tenant.error.js';
import { isToOne, scopeOf, TENANT_PROPERTY } from './tenant-scope.js';

type Dictionary = Record<PropertyKey, unknown>;

/** Makes a reference out of an own id; for data that ends up in managed entities. */
export type ToReference = (target: EntityMetadata, id: unknown) => object;

/**
 * A where clause with every key that leaves the tenant out made complete: `'id'`, `{ id }`, lists of ids, relations
 * given by an own id. Complete keys are what the identity map is asked with, and what composite foreign keys compare.
 * It adds the tenant of the context; it does not remove one that is already there, so a foreign one finds nothing.
 * The input is not changed.
 */
export function completeWhere(meta: EntityMetadata, tenantId: string, where: unknown): unknown {
  const scope = scopeOf(meta);
  if (scope.kind !== 'owned' || where == null || isRaw(where) || Utils.isEntity(where, true)) return where;
  if (isScalarKey(where)) return keyOf(scope.idProperty, tenantId, where);
  if (Array.isArray(where)) return completeRootList(scope.idProperty, tenantId, where);
  if (!Utils.isPlainObject(where)) return where;
  const completed = completeRelations(meta, tenantId, where as Dictionary);
  return TENANT_PROPERTY in completed ? completed : { [TENANT_PROPERTY]: tenantId, ...completed };
}

function completeRootList(idProperty: string | undefined, tenantId: string, list: unknown[]): unknown {
  if (idProperty === undefined || list.length === 0 || !list.every(isScalarKey)) return list;
  if (isTuple(list, tenantId)) return keyOf(idProperty, tenantId, list[1]);
  return keyOf(idProperty, tenantId, { $in: list });
}

function keyOf(idProperty: string | undefined, tenantId: string, id: unknown): unknown {
  return idProperty === undefined ? id : { [TENANT_PROPERTY]: tenantId, [idProperty]: id };
}

/** Completes relations inside a condition on `meta`, group operators and nested conditions included. */
function completeRelations(meta: EntityMetadata, tenantId: string, where: Dictionary): Dictionary {
  let copy: Dictionary | undefined;
  for (const key of Object.keys(where)) {
    const value = where[key];
    const completed = completeEntry(meta, tenantId, key, value);
    if (completed !== value) {
      copy ??= { ...where };
      copy[key] = completed;
    }
  }
  return copy ?? where;
}

function completeEntry(meta: EntityMetadata, tenantId: string, key: string, value: unknown): unknown {
  if (key === '$and' || key === '$or') {
    return Array.isArray(value) ? value.map((branch) => completeNested(meta, tenantId, branch)) : value;
  }
  if (key === '$not') return completeNested(meta, tenantId, value);
  const target = (meta.properties[key] as EntityProperty | undefined)?.targetMeta;
  const scope = target && scopeOf(target);
  if (scope?.kind !== 'owned' || scope.idProperty === undefined) return value;
  return completeRelation(target as EntityMetadata, scope.idProperty, tenantId, value);
}

function completeNested(meta: EntityMetadata, tenantId: string, where: unknown): unknown {
  return Utils.isPlainObject(where) ? completeRelations(meta, tenantId, where as Dictionary) : where;
}

/**
 * A condition on a relation. What compares the relation itself becomes a comparison of the far row's own id, which
 * MikroORM finds in the foreign key without a join; as the tenant is bound beside it, that is the whole key. Left alone,
 * MikroORM compares both columns with the one value, and no engine takes that.
 */
function completeRelation(target: EntityMetadata, idProperty: string, tenantId: string, value: unknown): unknown {
  if (isOperand(value)) return isTuple(value, tenantId) ? value : { [idProperty]: asCondition(value) };
  if (!Utils.isPlainObject(value)) return value;
  const entries = Object.entries(value as Dictionary);
  if (entries.some(([key]) => QUANTIFIERS.has(key))) return completeQuantifiers(target, tenantId, value as Dictionary);
  const compares = entries.length > 0 && entries.every(([key, operand]) => COMPARISONS.has(key) && isOperand(operand));
  return compares ? { [idProperty]: value } : completeRelations(target, tenantId, value as Dictionary);
}

/**
 * MikroORM turns these into sub-queries that walk the rows of all tenants before the outer condition picks from them. With
 * the tenant inside they walk its own. "Every row meets c" is "no row misses c", where the tenant stands outside the "not".
 */
function completeQuantifiers(target: EntityMetadata, tenantId: string, quantifiers: Dictionary): Dictionary {
  const own = (inner: unknown) => ({
    [TENANT_PROPERTY]: tenantId,
    ...(completeNested(target, tenantId, inner) as Dictionary),
  });
  const { $every, ...rest } = quantifiers;
  const completed = Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, own(inner)]));
  if ($every === undefined) return completed;
  if (completed.$none !== undefined || Utils.isEmpty($every)) return { ...completed, $every };
  return { ...completed, $none: { [TENANT_PROPERTY]: tenantId, $not: completeNested(target, tenantId, $every) } };
}

const COMPARISONS = new Set(['$eq', '$ne', '$in', '$nin']);
const QUANTIFIERS = new Set(['$some', '$none', '$every']);

/** Ids, or their absence. */
function isOperand(value: unknown): boolean {
  return value === null || isScalarKey(value) || (Array.isArray(value) && value.every(isScalarKey));
}

function asCondition(value: unknown): unknown {
  return Array.isArray(value) ? { $in: value } : value;
}

/** `[tenant, id]` is MikroORM's own spelling of one composite key. */
function isTuple(value: unknown, tenantId: string): boolean {
  return Array.isArray(value) && value.length === 2 && value[0] === tenantId;
}

/**
 * Data for a new row: its tenant filled in, relations given by an own id made complete, nested data likewise. Data that
 * names another tenant anywhere is refused. The input is not changed.
 *
 * @param operation what is being done, for the error
 * @throws {ForeignTenantError}
 */
export function completeData(
  meta: EntityMetadata,
  tenantId: string,
  data: unknown,
  operation: string,
  toReference?: ToReference,
): unknown {
  const scope = scopeOf(meta);
  if (scope.kind === 'shared' || data == null) return data;
  if (Utils.isEntity(data, true)) {
    assertOwn(data, tenantId, operation);
    return data;
  }
  if (!Utils.isPlainObject(data)) return data;
  const completed = completeChanges(meta, tenantId, data as Dictionary, operation, toReference);
  return scope.kind === 'owned' ? { [TENANT_PROPERTY]: tenantId, ...completed } : completed;
}

/** Like `completeData` for a change of existing rows: the tenant is checked, and left out as it never changes. */
export function completeChanges(
  meta: EntityMetadata,
  tenantId: string,
  data: Dictionary,
  operation: string,
  toReference?: ToReference,
): Dictionary {
  const refuse = () => new ForeignTenantError(meta.className, operation);
  const { [TENANT_PROPERTY]: given, ...rest } = data;
  if (given != null && given !== tenantId) throw refuse();
  // MikroORM takes column names too; the tenant's must not slip in as one.
  const columns = meta.properties[TENANT_PROPERTY as never] as EntityProperty | undefined;
  if (columns?.fieldNames.some((column) => column !== TENANT_PROPERTY && column in rest)) throw refuse();
  for (const property of meta.relations as EntityProperty[]) {
    const value = rest[property.name];
    if (value == null || !property.targetMeta || scopeOf(property.targetMeta).kind === 'shared') continue;
    const target = property.targetMeta;
    rest[property.name] = isToOne(property)
      ? completeLink(target, tenantId, value, operation, toReference)
      : completeItems(target, tenantId, value, operation, toReference);
  }
  return rest;
}

function completeLink(
  target: EntityMetadata,
  tenantId: string,
  value: unknown,
  operation: string,
  toReference?: ToReference,
): unknown {
  if (isScalarKey(value)) return toReference ? toReference(target, value) : [tenantId, value];
  if (Array.isArray(value) && value[0] !== tenantId) throw new ForeignTenantError(target.className, operation);
  return completeData(target, tenantId, value, operation, toReference);
}

function completeItems(
  target: EntityMetadata,
  tenantId: string,
  value: unknown,
  operation: string,
  toReference?: ToReference,
): unknown {
  const complete = (item: unknown) =>
    isScalarKey(item) && toReference
      ? toReference(target, item)
      : completeLink(target, tenantId, item, operation, toReference);
  return Array.isArray(value) ? value.map(complete) : value;
}

/**
 * Refuses an entity or reference that does not belong to the tenant.
 * @throws {ForeignTenantError}
 */
export function assertOwn(entity: unknown, tenantId: string, operation: string): void {
  const row = Reference.unwrapReference(entity as object) as Dictionary & { __meta?: EntityMetadata };
  const meta = row.__meta;
  if (!meta) return;
  const scope = scopeOf(meta);
  if (scope.kind === 'owned' && row[TENANT_PROPERTY] !== tenantId)
    throw new ForeignTenantError(meta.className, operation);
  if (scope.kind === 'linking') {
    for (const key of meta.primaryKeys as string[]) if (row[key]) assertOwn(row[key], tenantId, operation);
  }
}

function isScalarKey(value: unknown): value is string | number | bigint {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint';
}
