import { AsyncLocalStorage } from 'node:async_hooks';

/** What a system frame asks for. */
export interface SystemFrameOptions {
  /** Whether its statements have to be answered as quickly as an application's. Default `false`: migrations take their time. */
  readonly isBounded?: boolean;
}

interface SystemFrame extends SystemFrameOptions {
  readonly reason: string;
}

const frames = new AsyncLocalStorage<SystemFrame>();

/**
 * Runs `fn` as the kit itself: the guard lets every statement through, DDL, session settings and several tenants at
 * once included. For migrations, provisioning, schema creation and what a strategy sends when a connection is reserved;
 * never for application work, which has `acrossTenants`. Calls nest.
 *
 * @param reason what is done, for logs and errors
 */
export function runInSystemFrame<T>(reason: string, fn: () => T, options: SystemFrameOptions = {}): T {
  return frames.run({ ...options, reason }, fn);
}

/** Why the current call runs as the kit itself, or `undefined` in application work. */
export function findSystemFrame(): string | undefined {
  return frames.getStore()?.reason;
}

/** Whether the current call may not wait longer than an application's would. */
export function isBoundedCall(): boolean {
  return frames.getStore()?.isBounded ?? frames.getStore() === undefined;
}
