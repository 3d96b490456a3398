import { performance } from 'node:perf_hooks';
import type { ShardId } from './shard-definition.js';
import type { ShardOrm } from './shared-discovery.js';

/** Whether a shard answered, and after how many milliseconds (of trying, when it did not). */
export interface ShardHealth {
  readonly id: ShardId;
  readonly ok: boolean;
  readonly ms: number;
}

const running = new WeakMap<ShardOrm, Promise<boolean>>();

/** The probe under way, or a new one. It does not fail: a database that does not answer is an answer. */
function probeOnce(orm: ShardOrm): Promise<boolean> {
  const started = running.get(orm);
  if (started) return started;
  const answered = orm.driver
    .getConnection()
    .execute('select 1')
    .then(
      () => true,
      () => false,
    )
    .finally(() => running.delete(orm));
  running.set(orm, answered);
  return answered;
}

/** One round trip to a shard's primary under a deadline. */
export async function probe(id: ShardId, orm: ShardOrm, deadlineMs: number): Promise<ShardHealth> {
  const start = performance.now();
  const { promise: deadline, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, deadlineMs, false);
  const ok = await Promise.race([probeOnce(orm), deadline]);
  clearTimeout(timer);
  return { id, ok, ms: Math.round((performance.now() - start) * 10) / 10 };
}
