import { channel } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 500;

/** What subscribers of the diagnostics channel `rowhouse:transaction:retry` are told; a count of these is a metric. */
export interface TransactionRetry {
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  readonly pauseMs: number;
  readonly error: unknown;
}

const retries = channel('rowhouse:transaction:retry');

/**
 * Anything between nothing and a bound that doubles with each attempt: those who met once must not meet again.
 * @see "Exponential Backoff And Jitter" (AWS Architecture Blog), full jitter
 */
export function choosePause(attempt: number, random: () => number = Math.random): number {
  return Math.floor(random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt));
}

export async function pauseAfter(attempt: number, error: unknown): Promise<void> {
  const pauseMs = choosePause(attempt);
  if (retries.hasSubscribers) retries.publish({ attempt, pauseMs, error } satisfies TransactionRetry);
  await sleep(pauseMs);
}
