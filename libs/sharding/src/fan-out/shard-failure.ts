import { ConnectionException } from '@mikro-orm/core';
import { ShardUnavailableError } from '../errors/shard-unavailable.error.js';
import type { ShardId } from '../registry/shard-definition.js';

/** What drivers say when the server is away, going away, or full; everything else is the statement's own fault. */
const UNAVAILABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
  'PROTOCOL_CONNECTION_LOST',
  'ER_CON_COUNT_ERROR',
  'ER_SERVER_SHUTDOWN',
  'ER_GET_CONNECTION_TIMEOUT',
  'SQLITE_CANTOPEN',
  'SQLITE_IOERR',
  '53300',
  '57P01',
  '57P02',
  '57P03',
  '08000',
  '08001',
  '08003',
  '08006',
]);

/** Errors name their origin in `cause`, in `errors` when several addresses were tried, or carry it along. */
function* causesOf(error: unknown): Generator<{ code?: unknown; message?: unknown }> {
  let current = error as { code?: unknown; cause?: unknown; errors?: unknown[]; message?: unknown } | undefined;
  for (let depth = 0; typeof current === 'object' && current !== null && depth < 5; depth++) {
    yield current;
    for (const one of current.errors ?? []) yield one as { code?: unknown };
    current = current.cause as typeof current;
  }
}

/** Whether an error says that the database is away, rather than that the statement is wrong. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof ConnectionException || error instanceof ShardUnavailableError) return true;
  for (const { code, message } of causesOf(error)) {
    if (typeof code === 'string' && UNAVAILABLE.has(code)) return true;
    // pg says this without a code.
    if (typeof message === 'string' && /^Connection terminated|directory does not exist/.test(message)) return true;
  }
  return false;
}

/** An error of one shard as it leaves this lib: one that names the shard when it is away, else itself. */
export function toShardError(shardId: ShardId, error: unknown): unknown {
  if (error instanceof ShardUnavailableError || !isUnavailable(error)) return error;
  return new ShardUnavailableError(shardId, 'it cannot be reached', { cause: error });
}
