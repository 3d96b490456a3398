import { type EntityMetadata, type EntityProperty, ReferenceKind } from '@mikro-orm/core';
import { isSharedByTenants } from '#libs/persistence';

/** Property of `TenantOwned` that names the owner of a row. */
export const TENANT_PROPERTY = 'tenantId';

/**
 * How the rows of an entity relate to tenants.
 * - `owned`: the row itself carries `tenantId`, first in its primary key; `idProperty` is the rest of that key
 * - `linking`: a pivot entity; its primary key is made of relations that share the tenant column, `through` is the first
 * - `shared`: declared with `@SharedByTenants`; tenants read the same rows
 * - `undeclared`: none of these; refused at start-up
 */
export type TenantScope =
  | { readonly kind: 'owned'; readonly idProperty: string | undefined }
  | { readonly kind: 'linking'; readonly through: string }
  | { readonly kind: 'shared' }
  | { readonly kind: 'undeclared' };

const scopes = new WeakMap<EntityMetadata, TenantScope>();

/** How the rows of `meta` relate to tenants. Worked out once per entity. */
export function scopeOf(meta: EntityMetadata): TenantScope {
  const known = scopes.get(meta);
  if (known) return known;
  const scope = findScope(meta);
  scopes.set(meta, scope);
  return scope;
}

/** Whether each row of `meta` belongs to exactly one tenant. */
export function isTenantScoped(meta: EntityMetadata): boolean {
  const { kind } = scopeOf(meta);
  return kind === 'owned' || kind === 'linking';
}

function findScope(meta: EntityMetadata): TenantScope {
  const [first, second, ...more] = meta.primaryKeys as string[];
  if (first === TENANT_PROPERTY) return { kind: 'owned', idProperty: more.length === 0 ? second : undefined };
  if (isSharedByTenants(meta.class)) return { kind: 'shared' };
  const keys = meta.getPrimaryProps();
  const links =
    keys.length > 0 && keys.every((key) => isToOne(key) && key.targetMeta && isTenantScoped(key.targetMeta));
  return links && first !== undefined ? { kind: 'linking', through: first } : { kind: 'undeclared' };
}

/** Whether a relation points to one row, from either side. */
export function isToOne(property: EntityProperty): boolean {
  return property.kind === ReferenceKind.MANY_TO_ONE || property.kind === ReferenceKind.ONE_TO_ONE;
}
