import { CommitFailedError, type CommitOutcome } from '../errors/commit-failed.error.js';
import { CrossShardWriteError } from '../errors/cross-shard-write.error.js';
import { isUnavailable } from '../fan-out/shard-failure.js';
import type { ShardId } from '../registry/shard-definition.js';
import type { ShardChild } from '../sharded/shard-children.js';
import { ShardBranch } from './shard-branch.js';
import type { TransactionOptions } from './transaction-mode.js';

/** One transaction over the shards it touches. A shard joins with its first statement and leaves with all others. */
export class ShardTransaction {
  readonly #branches = new Map<ShardId, Promise<ShardBranch>>();
  readonly #written = new Set<ShardId>();
  #writes = 0;
  /** 1 is the transaction itself, each further level a savepoint. */
  #depth = 1;

  constructor(readonly options: TransactionOptions) {}

  /** How often something was written: if in a part that is rolled back, objects claim to be stored that are not. */
  get writes(): number {
    return this.#writes;
  }

  /** Begins on a shard, once, however many statements start at the same time. */
  async enlist({ id, em }: ShardChild): Promise<void> {
    const ready = this.#branches.get(id) ?? this.#begin(new ShardBranch(id, em));
    this.#branches.set(id, ready);
    try {
      await ready;
    } catch (error) {
      this.#branches.delete(id);
      throw error;
    }
  }

  /**
   * Says that shards are going to be written to. Call it before any SQL.
   * @throws {CrossShardWriteError} when they are more than the mode allows, with those written before
   */
  announceWrite(ids: readonly ShardId[]): void {
    const all = new Set([...this.#written, ...ids]);
    if (this.options.mode !== 'multi' && all.size > 1) throw new CrossShardWriteError([...all]);
    if (ids.length > 0) this.#writes++;
    for (const id of ids) this.#written.add(id);
  }

  /** Puts the transaction back onto every EntityManager whose flush has taken it off. */
  async resume(): Promise<void> {
    for (const branch of await this.#all()) branch.resume();
  }

  /** Opens a savepoint on every shard; those that join later get theirs when they join. */
  async beginNested(): Promise<void> {
    this.#depth++;
    for (const branch of await this.#all()) await branch.descendTo(this.#depth);
  }

  /** Releases the innermost savepoint everywhere. */
  async commitNested(): Promise<void> {
    this.#depth--;
    for (const branch of await this.#all()) await branch.commit();
  }

  /** Rolls back to the innermost savepoint everywhere. */
  async rollbackNested(): Promise<void> {
    this.#depth--;
    for (const branch of await this.#all()) await branch.rollback();
  }

  /**
   * Lets subscribers on every shard finish, then commits shard after shard in the order of `order`, the home shard last.
   * @throws {CommitFailedError} when several shards take part and one refuses; else that shard's own error
   */
  async commit(order: readonly ShardId[]): Promise<void> {
    const branches = await this.#inOrder(order);
    for (const branch of branches) await branch.prepare();
    const committed: ShardId[] = [];
    for (const [index, branch] of branches.entries()) {
      try {
        await branch.commit();
        committed.push(branch.id);
      } catch (error) {
        const rest = branches.slice(index + 1);
        await Promise.allSettled([branch, ...rest].map((it) => it.rollback()));
        if (branches.length === 1) throw error;
        throw new CommitFailedError(outcomeOf(committed, branch, rest, error), { cause: error });
      }
    }
  }

  /** Rolls everything back. Never throws: the error that led here is the one to report. */
  async rollback(): Promise<void> {
    const branches = await Promise.allSettled(this.#branches.values());
    await Promise.allSettled(branches.map((it) => (it.status === 'fulfilled' ? it.value.rollback() : undefined)));
  }

  async #begin(branch: ShardBranch): Promise<ShardBranch> {
    await branch.descendTo(this.#depth);
    return branch;
  }

  #all(): Promise<ShardBranch[]> {
    return Promise.all(this.#branches.values());
  }

  async #inOrder(order: readonly ShardId[]): Promise<ShardBranch[]> {
    const branches = await this.#all();
    const rank = ({ id }: ShardBranch) => (id === this.options.homeShard ? order.length : order.indexOf(id));
    return branches.sort((a, b) => rank(a) - rank(b));
  }
}

function outcomeOf(
  committed: readonly ShardId[],
  failed: ShardBranch,
  rest: readonly ShardBranch[],
  error: unknown,
): CommitOutcome {
  // A connection that broke while it committed leaves open whether the server still did.
  const isUnknown = isUnavailable(error);
  return {
    committed,
    failed: isUnknown ? [] : [failed.id],
    unknown: isUnknown ? [failed.id] : [],
    rolledBack: rest.map(({ id }) => id),
  };
}
