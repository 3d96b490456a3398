import { performance } from 'node:perf_hooks';
import type { ShardId } from '../registry/shard-definition.js';
import type { ShardRegistry } from '../registry/shard-registry.js';
import { type AtomicShards, atomicShardsOf } from './atomic-shards.js';
import { placeOf, startOf } from './branch-names.js';
import type { Decision, OldDecision } from './decision-log.js';
import { type DecidedBranch, type OwnBranch, PreparedBranches } from './prepared-branches.js';

/** How often to look, and how patient to be. */
export interface RecovererOptions {
  readonly shards: ShardRegistry;
  /** Milliseconds between two looks of `start()`. Default 5 000. */
  readonly intervalMs?: number;
  /**
   * How long a prepared branch without a decision is left to its process, in milliseconds since it was first seen here.
   * A courtesy: to roll it back earlier costs that process its transaction, and nothing else. Default 5 000.
   */
  readonly graceMs?: number;
  /** Decisions to commit are kept as long, in milliseconds. Default 60 000. */
  readonly keepDecisionsMs?: number;
  /**
   * Decisions to roll back are kept as long: longer than any transaction may last. So are those to commit that an earlier
   * version wrote, which do not say where their branches were prepared. Default one day.
   */
  readonly keepRefusalsMs?: number;
  /** Told what goes wrong on one shard; the others are looked at all the same. */
  readonly onError?: (error: unknown, shardId: ShardId) => void;
}

/** What one look at all shards has done. */
export interface Recovery {
  readonly committed: number;
  readonly rolledBack: number;
  /** Branches that are still in doubt: too young, of a home shard that is away, or still with their session. */
  readonly inDoubt: number;
  /** Shards that could not be looked at. */
  readonly missing: readonly ShardId[];
}

/** Figures of the last look at one shard. */
export interface ShardInDoubt {
  readonly id: ShardId;
  readonly branches: number;
  /** Of the oldest branch, in milliseconds; 0 without one. */
  readonly oldestMs: number;
}

const DEFAULTS = { intervalMs: 5_000, graceMs: 5_000, keepDecisionsMs: 60_000, keepRefusalsMs: 86_400_000 };

/**
 * Finishes what transactions in the mode `atomic` have left prepared when their process or a connection died. For each
 * prepared branch it asks the home shard what was decided: `commit` or, when nothing was, `rollback` from now on. Several
 * processes may run one; a lock on each shard keeps them out of each other's way.
 *
 * Every deployment that uses `atomic` runs it: a branch in doubt keeps its locks.
 */
export class TransactionRecoverer {
  readonly #options: Required<Omit<RecovererOptions, 'onError'>> & Pick<RecovererOptions, 'onError'>;
  readonly #shards: AtomicShards;
  readonly #seen = new Map<ShardId, ReadonlyMap<string, number>>();
  readonly #figures = new Map<ShardId, ShardInDoubt>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<Recovery> | undefined;

  constructor(options: RecovererOptions) {
    this.#options = { ...DEFAULTS, ...options };
    this.#shards = atomicShardsOf(options.shards);
  }

  /** Looks now, and again after each interval. Does not keep the process alive. */
  start(): void {
    if (this.#timer) return;
    void this.recover();
    this.#timer = setInterval(() => void this.recover(), this.#options.intervalMs).unref();
  }

  /** Looks no more; waits for a look under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }

  /** What was in doubt when this process last looked, by shard. Empty before the first look. */
  figures(): ShardInDoubt[] {
    return [...this.#figures.values()];
  }

  /** Looks at every shard, once. Never throws; one look at a time. */
  recover(): Promise<Recovery> {
    this.#running ??= this.#recover().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #recover(): Promise<Recovery> {
    const { able } = this.#shards;
    // Read before any list: whatever is decided by now is prepared by now, so it is in the lists or finished.
    const old = await Promise.all(able.map((id) => this.#attempt(id, () => this.#findOldDecisions(id))));
    const looks = await Promise.all(able.map((id) => this.#attempt(id, () => this.#look(id))));
    const missing = able.filter((_, index) => looks[index] === undefined);
    const found = looks.flatMap((look) => (look ? [look] : []));
    if (missing.length === 0) {
      const listed = new Set(found.flatMap(({ listed }) => listed));
      const places = new Set(able.map((id) => placeOf(id, this.#shards.registry.get(id))));
      const isOver = (it: OldDecision) => !listed.has(it.id) && it.places.every((place) => places.has(place));
      await Promise.all(able.map((id, index) => this.#attempt(id, () => this.#forget(id, old[index] ?? [], isOver))));
    }
    const done = found.flatMap((look) => look.done);
    return {
      committed: done.filter((decision) => decision === 'commit').length,
      rolledBack: done.filter((decision) => decision === 'rollback').length,
      inDoubt: found.reduce((total, { left }) => total + left, 0),
      missing,
    };
  }

  /** One shard: lists, asks for decisions, and does what is decided. */
  async #look(id: ShardId): Promise<Look> {
    const prepared = new PreparedBranches(this.#shards, id);
    const branches = await prepared.list();
    // Asked after the list: one that was active then and is not any more has written its decision, or is undone.
    const doubtful = branches.filter((branch) => !this.#shards.active.has(branch.of.id));
    this.#remember(id, doubtful);
    const decided: DecidedBranch[] = [];
    for (const branch of doubtful) {
      const decision = await this.#attempt(id, () => this.#findDecision(id, branch));
      if (decision) decided.push({ branch, decision });
    }
    const done = decided.length > 0 ? await prepared.finish(decided) : [];
    const finished = new Set(done.map(({ branch }) => branch));
    const left = doubtful.filter((branch) => !finished.has(branch));
    this.#figures.set(id, { id, branches: left.length, oldestMs: Math.max(0, ...left.map(ageOf)) });
    return {
      listed: branches.map((branch) => branch.of.id),
      done: done.map(({ decision }) => decision),
      left: left.length,
    };
  }

  async #findDecision(id: ShardId, { of: transaction }: OwnBranch): Promise<Decision | undefined> {
    const decision = await this.#shards.log.find(transaction);
    if (decision) return decision;
    const firstSeen = this.#seen.get(id)?.get(transaction.id) ?? Number.POSITIVE_INFINITY;
    const isYoung = performance.now() - firstSeen < this.#options.graceMs;
    return isYoung ? undefined : this.#shards.log.settle(transaction);
  }

  /** When each was first seen, by the clock of this process. */
  #remember(id: ShardId, branches: readonly OwnBranch[]): void {
    const before = this.#seen.get(id);
    const now = performance.now();
    this.#seen.set(id, new Map(branches.map(({ of }) => [of.id, before?.get(of.id) ?? now])));
  }

  async #findOldDecisions(id: ShardId): Promise<OldDecision[]> {
    const { log } = this.#shards;
    if (!(await log.exists(id))) return [];
    const decided = await log.decidedBefore(id, 'commit', Date.now() - this.#options.keepDecisionsMs);
    return decided.filter(({ places }) => places.length > 0);
  }

  /**
   * Decisions of which no branch is left, and refusals that nobody can run into any more. A place that this process does
   * not know, while shards are added or taken away, may hold a branch still: its decision is left to who looks there.
   */
  async #forget(id: ShardId, old: readonly OldDecision[], isOver: (it: OldDecision) => boolean): Promise<void> {
    const { log } = this.#shards;
    if (!(await log.exists(id))) return;
    const before = Date.now() - this.#options.keepRefusalsMs;
    const refusals = await log.decidedBefore(id, 'rollback', before);
    // Written before decisions named their places: whoever may still ask for one has as much time.
    const nameless = (await log.decidedBefore(id, 'commit', before)).filter(({ places }) => places.length === 0);
    const over = [...old, ...refusals, ...nameless].filter(isOver);
    await log.forget(
      id,
      over.map((it) => it.id),
    );
  }

  /** `undefined` when it fails: a shard that is away must not keep the others from being looked at. */
  async #attempt<T>(id: ShardId, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#options.onError?.(error, id);
      return undefined;
    }
  }
}

/** What was found and done on one shard. */
interface Look {
  /** Ids of the transactions of all branches, those of this process included. */
  readonly listed: readonly string[];
  readonly done: readonly Decision[];
  readonly left: number;
}

function ageOf({ of, preparedAt }: OwnBranch): number {
  return Math.max(0, Date.now() - (preparedAt?.getTime() ?? startOf(of)));
}
