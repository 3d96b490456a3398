import { ShardUnavailableError } from '../errors/shard-unavailable.error.js';
import type { ShardId } from '../registry/shard-definition.js';
import { toShardError } from './shard-failure.js';

/** How long, and whether others may call it off. */
export interface FanOutLimits {
  /** Milliseconds for all shards together; they are asked at the same time. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

/** One shard's part of an answer: its value, or why there is none. */
export type ShardAnswer<T> =
  | { readonly id: ShardId; readonly ok: true; readonly value: T }
  | { readonly id: ShardId; readonly ok: false; readonly error: unknown };

/** Asks one shard. `signal` ends what is still running when nobody waits any more. */
export type AskShard<T> = (id: ShardId, signal: AbortSignal | undefined) => Promise<T>;

/**
 * Asks every shard at the same time and gives the values in the order of `shards`. The first failure ends it: the
 * statements of the others are called off.
 *
 * @throws {ShardUnavailableError} for a shard that is away or silent until the deadline
 */
export async function askEach<T>(shards: readonly ShardId[], ask: AskShard<T>, limits: FanOutLimits): Promise<T[]> {
  const control = new AbortController();
  try {
    return await Promise.all(
      shards.map(async (id) => {
        const answer = await askOne(id, ask, limits, control);
        if (!answer.ok) throw answer.error;
        return answer.value;
      }),
    );
  } catch (error) {
    control.abort();
    throw error;
  }
}

/**
 * Like `askEach` for writes that are going to be rolled back when one fails: it ends when every shard's work has ended,
 * failed or called off. Work that outlived the rollback would write outside of the transaction, for good.
 */
export async function writeEach<T>(shards: readonly ShardId[], write: AskShard<T>, limits: FanOutLimits): Promise<T[]> {
  const running: Promise<unknown>[] = [];
  const noting: AskShard<T> = (id, signal) => {
    const work = write(id, signal);
    running.push(work);
    return work;
  };
  try {
    return await askEach(shards, noting, limits);
  } catch (error) {
    await Promise.allSettled(running);
    throw error;
  }
}

/** Like `askEach`, and waits for every shard, or the deadline: a failure is an answer. */
export async function askEachPartially<T>(
  shards: readonly ShardId[],
  ask: AskShard<T>,
  limits: FanOutLimits,
): Promise<ShardAnswer<T>[]> {
  const control = new AbortController();
  return Promise.all(shards.map((id) => askOne(id, ask, limits, control)));
}

async function askOne<T>(
  id: ShardId,
  ask: AskShard<T>,
  { deadlineMs, signal }: FanOutLimits,
  control: AbortController,
): Promise<ShardAnswer<T>> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new ShardUnavailableError(id, `no answer within ${deadlineMs} ms`));
    control.abort();
  }, deadlineMs);
  const leave = () => reject(signal?.reason);
  try {
    signal?.throwIfAborted();
    signal?.addEventListener('abort', leave);
    const callOff = signal ? AbortSignal.any([control.signal, signal]) : control.signal;
    return { id, ok: true, value: await Promise.race([ask(id, callOff), late]) };
  } catch (error) {
    return { id, ok: false, error: toShardError(id, error) };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', leave);
  }
}
