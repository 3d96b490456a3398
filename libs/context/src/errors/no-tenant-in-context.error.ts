import { ContextError } from './context.error.js';

/** Tenant-owned data was asked for while the context names no tenant. Thrown before any SQL is sent. */
export class NoTenantInContextError extends ContextError {
  readonly code = 'tenant_required';

  constructor() {
    super(
      'The context names no tenant, and tenant-owned data is never read without one. ' +
        'Sign in to a tenant, or run the work as one: runAs({ tenant, actor }, fn).',
    );
  }
}
