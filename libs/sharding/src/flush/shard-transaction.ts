import type { BranchName } from '#libs/persistence';
import { CommitFailedError, type CommitOutcome } from '../errors/commit-failed.error.js';
import { CrossShardWriteError } from '../errors/cross-shard-write.error.js';
import { isUnavailable } from '../fan-out/shard-failure.js';
import type { ShardId } from '../registry/shard-definition.js';
import type { ShardChild } from '../sharded/shard-children.js';
import { commitAtomically } from '../two-phase/atomic-commit.js';
import type { AtomicShards } from '../two-phase/atomic-shards.js';
import type { AtomicTransaction } from '../two-phase/branch-names.js';
import { ShardBranch } from './shard-branch.js';
import type { TransactionOptions } from './transaction-mode.js';

/** One transaction over the shards it touches. A shard joins with its first statement and leaves with all others. */
export class ShardTransaction {
  readonly #branches = new Map<ShardId, Promise<ShardBranch>>();
  readonly #written = new Set<ShardId>();
  #writes = 0;
  /** In the mode `atomic`: made when the first shard joins. */
  #identity: Promise<AtomicTransaction> | undefined;
  /** 1 is the transaction itself, each further level a savepoint. */
  #depth = 1;

  constructor(
    readonly options: TransactionOptions,
    private readonly shards: AtomicShards,
  ) {}

  get #isAtomic(): boolean {
    return this.options.mode === 'atomic';
  }

  /** How often something was written: if in a part that is rolled back, objects claim to be stored that are not. */
  get writes(): number {
    return this.#writes;
  }

  /** Whether a shard can take part. */
  admits(id: ShardId): boolean {
    return !this.#isAtomic || this.shards.findDialect(id) !== undefined;
  }

  /**
   * Begins on a shard, once, however many statements start at the same time.
   * @throws {AtomicUnsupportedError} when it cannot take part
   */
  async enlist(child: ShardChild): Promise<void> {
    const { id } = child;
    const ready = this.#branches.get(id) ?? this.#begin(child);
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
   * @throws {AtomicUnsupportedError}
   */
  announceWrite(ids: readonly ShardId[]): void {
    const all = new Set([...this.#written, ...ids]);
    if (this.#isAtomic) this.shards.assertAble([...all]);
    else if (this.options.mode !== 'multi' && all.size > 1) throw new CrossShardWriteError([...all]);
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
    const identity = await this.#identity;
    const branches = await this.#inOrder(order, identity?.homeShard ?? this.options.homeShard);
    for (const branch of branches) await branch.announceCommit();
    try {
      if (identity && branches.length > 1) await commitAtomically(identity, branches, this.shards.log);
      else await this.#commitInTurn(branches);
    } finally {
      if (identity) this.shards.active.delete(identity.id);
    }
    for (const branch of branches) branch.throwLate();
  }

  /** The home shard, when it is to hold the decision and has not joined yet. */
  async findMissingHome(): Promise<ShardId | undefined> {
    const identity = await this.#identity;
    return identity && this.#branches.size > 0 && !this.#branches.has(identity.homeShard)
      ? identity.homeShard
      : undefined;
  }

  async #commitInTurn(branches: readonly ShardBranch[]): Promise<void> {
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
    const identity = await this.#identity?.catch(() => undefined);
    const branches = await Promise.allSettled(this.#branches.values());
    await Promise.allSettled(branches.map((it) => (it.status === 'fulfilled' ? it.value.rollback() : undefined)));
    if (identity) this.shards.active.delete(identity.id);
  }

  async #begin({ id, em }: ShardChild): Promise<ShardBranch> {
    const branch = new ShardBranch(id, em, this.#isAtomic ? await this.#nameOf(id) : undefined);
    await branch.descendTo(this.#depth);
    return branch;
  }

  async #nameOf(id: ShardId): Promise<BranchName> {
    this.shards.assertAble([id]);
    this.#identity ??= this.shards.begin(this.options.homeShard ?? id);
    return this.shards.nameOf(await this.#identity, id);
  }

  #all(): Promise<ShardBranch[]> {
    return Promise.all(this.#branches.values());
  }

  async #inOrder(order: readonly ShardId[], homeShard: ShardId | undefined): Promise<ShardBranch[]> {
    const branches = await this.#all();
    const rank = ({ id }: ShardBranch) => (id === homeShard ? order.length : order.indexOf(id));
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
