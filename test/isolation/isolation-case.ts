import type { Attempt } from './isolation-world.js';

/** A part of the guard that keeps a case closed. */
export type Wall =
  /** Overrides of the EntityManager. */
  | 'entity-manager'
  /** The look at every statement. */
  | 'statements';

/**
 * One way to reach another tenant's rows. The same attempt is made on the own rows, where it must succeed, and with each
 * wall away, where it must come through exactly when `closedBy` says so: a case that nothing can make red proves nothing.
 */
export interface IsolationCase {
  readonly title: string;
  /** Walls that close it, each alone. Without all of these it must come through. */
  readonly closedBy: readonly Wall[];
  /** Does it. What it returns, and what it throws, is searched for the target's canary. */
  attempt(it: Attempt): unknown;
  /** Whether it came through, where that is more than the canary in the answer or a changed row: a count, a lock. */
  hasReached?(result: unknown, it: Attempt): boolean;
  /** Refused to everybody, also on own rows: there is no safe form. */
  readonly refusedForAll?: boolean;
  /** Works as nobody: in a context that names no tenant. */
  readonly asNobody?: boolean;
}

export const BOTH: readonly Wall[] = ['entity-manager', 'statements'];
