import type { AbstractSqlConnection } from '@mikro-orm/sql';
import { CompiledQuery, type Kysely } from 'kysely';
import { type PreparedBranch, runInSystemFrame, type TwoPhaseDialect } from '#libs/persistence';
import type { ShardId } from '../registry/shard-definition.js';
import type { AtomicShards } from './atomic-shards.js';
import { type AtomicTransaction, readBranchName } from './branch-names.js';
import type { Decision } from './decision-log.js';

/** One prepared branch of ours, and what it is a part of. */
export interface OwnBranch extends PreparedBranch {
  readonly of: AtomicTransaction;
}

/** A branch whose transaction is decided. */
export interface DecidedBranch {
  readonly branch: OwnBranch;
  readonly decision: Decision;
}

/** The branches that are prepared on one shard. */
export class PreparedBranches {
  readonly #dialect: TwoPhaseDialect;

  constructor(
    private readonly shards: AtomicShards,
    private readonly shardId: ShardId,
  ) {
    this.#dialect = shards.findDialect(shardId) as TwoPhaseDialect;
  }

  /** Those of this shard, among all that its server has. */
  async list(): Promise<OwnBranch[]> {
    const orm = this.shards.registry.get(this.shardId);
    const rows = await bounded(() =>
      this.#connection.execute<Record<string, unknown>[]>(this.#dialect.list, [], 'all'),
    );
    return rows.flatMap((row) => {
      const branch = this.#dialect.read(row);
      const transaction = branch && readBranchName(branch, this.shardId, orm);
      return branch && transaction ? [{ ...branch, of: transaction }] : [];
    });
  }

  /**
   * Does what is decided, unless another process is at it.
   * @returns what was done; a branch that still is with its session is not
   */
  async finish(decided: readonly DecidedBranch[]): Promise<DecidedBranch[]> {
    const lock = `rh.recover.${this.shardId}`;
    return bounded(() =>
      (this.#connection.getClient() as Kysely<unknown>).connection().execute(async (session) => {
        const ask = async (sql: string) => (await session.executeQuery(CompiledQuery.raw(sql))).rows;
        const [answer] = (await ask(this.#dialect.lock(lock))) as { taken: unknown }[];
        if (Number(answer?.taken) !== 1) return [];
        try {
          return await this.#finishAll(decided, ask);
        } finally {
          await ask(this.#dialect.unlock(lock)).catch(() => undefined);
        }
      }),
    );
  }

  async #finishAll(decided: readonly DecidedBranch[], ask: (sql: string) => Promise<unknown>) {
    const done: DecidedBranch[] = [];
    for (const one of decided) {
      try {
        await ask(this.#dialect[one.decision](one.branch));
        done.push(one);
      } catch (error) {
        if (!this.#dialect.isUnknown(error as Error)) throw error;
      }
    }
    return done;
  }

  get #connection(): AbstractSqlConnection {
    return this.shards.registry.get(this.shardId).driver.getConnection('write');
  }
}

function bounded<T>(fn: () => Promise<T>): Promise<T> {
  return runInSystemFrame('recovery of transactions', fn, { isBounded: true });
}
