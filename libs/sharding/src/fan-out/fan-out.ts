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

/** Asks one shard. `callOff` ends what is still running when nobody waits any more. */
export type AskShard<T> = (id: ShardId, callOff: CallOff) => Promise<T>;

/** Ends what one call has under way on its shards. Its signal is made when somebody listens: most calls come to their end. */
export class CallOff {
  #control: AbortController | undefined;
  #isOver = false;

  constructor(private readonly outer: AbortSignal | undefined) {}

  get signal(): AbortSignal {
    this.#control ??= new AbortController();
    if (this.#isOver) this.#control.abort();
    return this.outer ? AbortSignal.any([this.#control.signal, this.outer]) : this.#control.signal;
  }

  abort(): void {
    this.#isOver = true;
    this.#control?.abort();
  }
}

/**
 * Asks one shard, with less ado than `askEach`: a row by its key costs little more than what is done around it.
 * @throws {ShardUnavailableError} when it is away or silent until the deadline
 */
export function askOne<T>(id: ShardId, ask: AskShard<T>, limits: FanOutLimits): Promise<T> {
  return askWithin(id, ask, limits, new CallOff(limits.signal));
}

/**
 * Asks every shard at the same time and gives the values in the order of `shards`. The first failure ends it: the
 * statements of the others are called off.
 *
 * @throws {ShardUnavailableError} for a shard that is away or silent until the deadline
 */
export async function askEach<T>(shards: readonly ShardId[], ask: AskShard<T>, limits: FanOutLimits): Promise<T[]> {
  const callOff = new CallOff(limits.signal);
  try {
    return await Promise.all(shards.map((id) => askWithin(id, ask, limits, callOff)));
  } catch (error) {
    callOff.abort();
    throw error;
  }
}

/**
 * Like `askEach` for writes that are going to be rolled back when one fails: it ends when every shard's work has ended,
 * failed or called off. Work that outlived the rollback would write outside of the transaction, for good.
 */
export async function writeEach<T>(shards: readonly ShardId[], write: AskShard<T>, limits: FanOutLimits): Promise<T[]> {
  const running: Promise<unknown>[] = [];
  const noting: AskShard<T> = (id, callOff) => {
    const work = write(id, callOff);
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
  const callOff = new CallOff(limits.signal);
  const answer = (id: ShardId): Promise<ShardAnswer<T>> =>
    askWithin(id, ask, limits, callOff).then(
      (value) => ({ id, ok: true, value }),
      (error) => ({ id, ok: false, error }),
    );
  return Promise.all(shards.map(answer));
}

function askWithin<T>(
  id: ShardId,
  ask: AskShard<T>,
  { deadlineMs, signal }: FanOutLimits,
  callOff: CallOff,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => fail(signal?.reason);
    const timer = setTimeout(() => {
      fail(new ShardUnavailableError(id, `no answer within ${deadlineMs} ms`));
      callOff.abort();
    }, deadlineMs);
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', leave);
    };
    const fail = (error: unknown) => {
      end();
      reject(toShardError(id, error));
    };
    try {
      signal?.throwIfAborted();
      signal?.addEventListener('abort', leave);
      ask(id, callOff).then((value) => {
        end();
        resolve(value);
      }, fail);
    } catch (error) {
      fail(error);
    }
  });
}
