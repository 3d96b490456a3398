/** The resolvers of the module, in order. */
export const TENANT_RESOLVERS = Symbol('TENANT_RESOLVERS');
