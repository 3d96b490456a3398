/** Injection token of the module's options. */
export const TENANCY_MODULE_OPTIONS = 'TENANCY_MODULE_OPTIONS';

/** How `TenancyModule` is configured. */
export interface TenancyModuleOptions {
  /** How long a looked-up tenant is reused, in milliseconds. `0` turns the cache off. Default 30 000. */
  cacheTtlMs?: number;
  /** How many tenants are kept at most. Default 10 000. */
  cacheSize?: number;
}
