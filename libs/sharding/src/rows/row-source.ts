import type { SqlEntityManager } from '@mikro-orm/sql';
import { askEachPartially, type FanOutLimits, type ShardAnswer } from '../fan-out/fan-out.js';
import type { ShardId } from '../registry/shard-definition.js';

/** Rows that lie on a shard beside its own database: in a schema or a database that is asked apart. */
export interface RowSource {
  /** What it is called when it is missing; one of a kind. */
  readonly id: string;
  readonly shardId: ShardId;
  /** Runs one read with an EntityManager that works there, and gives back what that took, also when it fails. */
  read<T>(ask: (entityManager: SqlEntityManager) => Promise<T>): Promise<T>;
}

/** The sources beside the shards, and how they are asked. */
export interface SourcesBeside {
  readonly sources: readonly RowSource[];
  /** How many of one shard are asked at the same time: one that hangs holds up nobody on other shards. Default 4. */
  readonly atOnce?: number;
  /** Whether an error says that a source is away, beyond what says so of a shard. Others end the call. */
  isAway?(error: unknown): boolean;
}

/** Asks every source within the time that all have together. One whose turn comes too late is not asked any more. */
export async function askSources<T>(
  { sources, atOnce = 4 }: SourcesBeside,
  ask: (entityManager: SqlEntityManager, source: RowSource) => Promise<T>,
  { deadlineMs, signal }: FanOutLimits,
): Promise<ShardAnswer<T>[]> {
  const end = performance.now() + deadlineMs;
  const answers: ShardAnswer<T>[] = [];
  const askOne = (source: RowSource) =>
    askEachPartially([source.id], () => source.read((em) => ask(em, source)), {
      deadlineMs: Math.max(0, end - performance.now()),
      signal,
    });
  const askInTurn = async (left: IterableIterator<RowSource>) => {
    for (const source of left) answers.push(...(await askOne(source)));
  };
  const workers = [...Map.groupBy(sources, ({ shardId }) => shardId).values()].flatMap((own) => {
    const left = own.values();
    return Array.from({ length: Math.min(atOnce, own.length) }, () => askInTurn(left));
  });
  await Promise.all(workers);
  return answers;
}
