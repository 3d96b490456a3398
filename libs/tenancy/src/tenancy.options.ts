import type { Type } from '@nestjs/common';
import type { Actor } from '#libs/context';
import type { TenantResolver } from './resolvers/tenant-resolver.js';

/** Injection token of the module's options. */
export const TENANCY_MODULE_OPTIONS = 'TENANCY_MODULE_OPTIONS';

/** How `TenancyModule` is configured. */
export interface TenancyModuleOptions {
  /** How long a looked-up tenant is reused, in milliseconds. `0` turns the cache off. Default 30 000. */
  cacheTtlMs?: number;
  /** How many tenants are kept at most. Default 10 000. */
  cacheSize?: number;
  /** Name of the header that may name a tenant, in small letters. Default `x-tenant`. */
  headerName?: string;
  /** Who may read across tenants. Default: actors of the types `operator` and `system`. */
  mayCrossTenants?: (actor: Actor) => boolean;
  /** Domain whose sub-domains are slugs, in small letters: `rowhouse.example`. Default: none, sub-domains name nobody. */
  baseDomain?: string;
}

/** What is known at once, whichever way the options come. */
export interface TenancyModuleExtras {
  /** Whether every module may inject from this one. Default `true`. */
  isGlobal?: boolean;
  /**
   * Who may name a tenant besides credentials, in the order they are asked. Default: header, sub-domain, custom domain, path.
   * Leaving one out makes its source mean nothing.
   */
  resolvers?: Type<TenantResolver>[];
}
