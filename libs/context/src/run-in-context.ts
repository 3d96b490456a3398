import { AsyncLocalStorage } from 'node:async_hooks';
import { type Actor, Context, type ContextSeed, type ContextTenant } from './context.js';
import { NoContextError } from './errors/no-context.error.js';
import { TenantImmutableError } from './errors/tenant-immutable.error.js';

const storage = new AsyncLocalStorage<Context>();

/** The context of the current async call, or `undefined` outside of any. */
export function findContext(): Context | undefined {
  return storage.getStore();
}

/**
 * The context of the current async call.
 * @throws {NoContextError} outside of any
 */
export function currentContext(): Context {
  const context = storage.getStore();
  if (!context) throw new NoContextError();
  return context;
}

/**
 * Makes `context` current while `callback` and everything it starts run; unlike `runInContext` it does not end the context.
 * For edges that learn of the end by an event of their own, such as an HTTP response.
 */
export function enterContext<T>(context: Context, callback: () => T): T {
  return storage.run(context, callback);
}

/**
 * Opens a context, runs `fn` in it, and ends it when the promise settles; the outer context is current again afterwards.
 * @throws {TenantImmutableError} for a tenant, inside an open transaction: its rows would mix two tenants in one commit
 */
export async function runInContext<T>(seed: ContextSeed, fn: () => T | Promise<T>): Promise<T> {
  if (seed.tenant) refuseInTransaction();
  const context = new Context(seed);
  try {
    return await storage.run(context, fn);
  } finally {
    context.end();
  }
}

/**
 * Runs `fn` as somebody, for one tenant or for none, in a context of its own. For jobs, commands, schedulers and tests.
 * Request id, route and reason are those of the outer context, unless given.
 *
 * @throws {TenantImmutableError} inside an open transaction: its rows would mix two tenants in one commit
 */
export async function runAs<T>(
  identity: { tenant?: ContextTenant; actor: Actor } & Omit<ContextSeed, 'tenant' | 'actor'>,
  fn: () => T | Promise<T>,
): Promise<T> {
  refuseInTransaction();
  const outer = storage.getStore();
  const { requestId, route, method, ip, userAgent, reason } = outer ?? {};
  return runInContext({ requestId, route, method, ip, userAgent, reason, ...identity }, fn);
}

function refuseInTransaction(): void {
  const outer = storage.getStore();
  if (outer?.inTransaction) throw new TenantImmutableError(outer.tenant?.id, 'a transaction is open');
}
