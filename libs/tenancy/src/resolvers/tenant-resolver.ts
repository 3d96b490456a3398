import type { TenantRequest } from './tenant-request.js';

/** What a request names a tenant by. */
export interface TenantIdentifier {
  /** A slug, or a domain of the tenant's own. */
  readonly by: 'slug' | 'domain';
  /** Exactly as it came, as far as its kind allows: slugs are compared letter by letter, domains in small letters. */
  readonly value: string;
}

/**
 * Finds which tenant a request names. Pure: it reads the request and touches no database, so it cannot tell a tenant that
 * exists from one that does not. It only names: whether the caller may work for that tenant is decided by credentials.
 *
 * Called once or twice for every request, synchronously. Several of them have a say; what they say must agree.
 *
 * @see stancl/tenancy's resolvers: there the first that answers wins, so a header can overrule the host
 */
export interface TenantResolver {
  /** Short name of the source, for errors and the audit trail: `header`, `host`. */
  readonly source: string;
  /**
   * @returns the identifier, or `undefined` when this resolver has no opinion
   * @throws {AmbiguousTenantError} when its source holds several, or a spelling that two readers may read in two ways
   */
  resolve(request: TenantRequest): TenantIdentifier | undefined;
}
