import { ConnectionException } from '@mikro-orm/core';
import { ShardUnavailableError } from '../errors/shard-unavailable.error.js';
import type { ShardId } from '../registry/shard-definition.js';

/** What drivers say when the server is away, going away, full, or lets us in no more; everything else is the statement's own fault. */
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
  'ER_CONNECTION_KILLED',
  'ER_GET_CONNECTION_TIMEOUT',
  'SQLITE_CANTOPEN',
  'SQLITE_IOERR',
  'ER_ACCESS_DENIED_ERROR',
  'ER_BAD_DB_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
  '28000',
  '28P01',
  '3D000',
  '53300',
  '57P01',
  '57P02',
  '57P03',
  '08000',
  '08001',
  '08003',
  '08006',
]);

/** What pg, mysql2 and better-sqlite3 say without a code. */
const WITHOUT_CODE =
  /^Connection terminated|^timeout exceeded when trying to connect|^Client has encountered a connection error|^Can't add new command when connection is in closed state|directory does not exist/;

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
    if (typeof message === 'string' && WITHOUT_CODE.test(message)) return true;
  }
  return false;
}

/** An error of one shard as it leaves this lib: one that names the shard when it is away, else itself. */
export function toShardError(shardId: ShardId, error: unknown, retryAfterMs = 0): unknown {
  if (error instanceof ShardUnavailableError || !isUnavailable(error)) return error;
  return new ShardUnavailableError(shardId, 'it cannot be reached', { cause: error, retryAfterMs });
}
