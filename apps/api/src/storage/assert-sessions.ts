import { assertOwnSessions, TransactionPoolerError } from '#libs/persistence';
import type { AppConfig } from '../config/app.config.js';

/**
 * Makes sure that no configured database is reached through a pooler in transaction mode. Called before the first lock is
 * taken, by the start and by every command: behind such a pooler the lock could be anybody's. A database that is away says
 * so itself when it is used; a shard is asked again when it is back.
 *
 * @throws {TransactionPoolerError}
 */
export async function assertSessions({ centralUrl, shards }: AppConfig): Promise<void> {
  const named = [
    { name: 'CENTRAL_URL', url: centralUrl },
    ...shards.map(({ id, url }) => ({ name: `shard ${id}`, url })),
  ];
  // All are waited for: no connection is left open behind an error.
  const seen = await Promise.allSettled(named.map(({ name, url }) => assertOwnSessions(url, name)));
  const refusals = seen.map((it) => (it.status === 'rejected' ? it.reason : undefined));
  const pooler = refusals.find((reason) => reason instanceof TransactionPoolerError);
  if (pooler) throw pooler;
}
