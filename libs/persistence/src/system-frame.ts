import { AsyncLocalStorage } from 'node:async_hooks';

const frames = new AsyncLocalStorage<string>();

/**
 * Runs `fn` as the kit itself: the guard lets every statement through, DDL, session settings and several tenants at
 * once included. For migrations, provisioning, schema creation and what a strategy sends when a connection is reserved;
 * never for application work, which has `acrossTenants`. Calls nest.
 *
 * @param reason what is done, for logs and errors
 */
export function runInSystemFrame<T>(reason: string, fn: () => T): T {
  return frames.run(reason, fn);
}

/** Why the current call runs as the kit itself, or `undefined` in application work. */
export function findSystemFrame(): string | undefined {
  return frames.getStore();
}
