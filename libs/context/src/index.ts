export { type Actor, Context, type ContextSeed, type ContextTenant } from './context.js';
export { ContextError } from './errors/context.error.js';
export { NoContextError } from './errors/no-context.error.js';
export { NoTenantInContextError } from './errors/no-tenant-in-context.error.js';
export { TenantImmutableError } from './errors/tenant-immutable.error.js';
export { currentContext, enterContext, findContext, runAs, runInContext } from './run-in-context.js';
