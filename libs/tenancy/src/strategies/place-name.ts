/**
 * Name of a schema or database that only one tenant has: `tenant_` and the tenant's id without hyphens, 39 characters. Of
 * the id, not of the slug: an id never changes, is unique over all deployments of a server, and holds nothing to quote.
 */
export function placeNameOf(tenantId: string): string {
  const name = `tenant_${tenantId.replaceAll('-', '').toLowerCase()}`;
  assertPlaceName(name);
  return name;
}

/** Whatever becomes part of DDL or of a search path passes here, stored names included. */
export function assertPlaceName(name: string | undefined): asserts name is string {
  if (name === undefined || !/^[a-z][a-z0-9_]{0,62}$/.test(name)) {
    throw new TypeError(`"${name}" is no name of a schema or database of a tenant.`);
  }
}
