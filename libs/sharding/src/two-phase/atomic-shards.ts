import { type BranchName, getEngine, runInSystemFrame, type TwoPhaseDialect } from '#libs/persistence';
import { AtomicUnsupportedError } from '../errors/atomic-unsupported.error.js';
import type { ShardId } from '../registry/shard-definition.js';
import type { ShardRegistry } from '../registry/shard-registry.js';
import { type AtomicTransaction, branchNameOf, MAX_HOME_ID_LENGTH, newTransaction } from './branch-names.js';
import { DecisionLog } from './decision-log.js';

const known = new WeakMap<ShardRegistry, AtomicShards>();

/** What the shards of a registry share for transactions in the mode `atomic`. */
export function atomicShardsOf(registry: ShardRegistry): AtomicShards {
  const shards = known.get(registry) ?? new AtomicShards(registry);
  known.set(registry, shards);
  return shards;
}

/**
 * Asks shards whether they are set up for transactions of the mode `atomic`, and makes the table of decisions where it is
 * missing. For the start-up of whoever uses the mode.
 *
 * @param ids  the shards to ask; default: every shard whose engine can take part
 * @throws {AtomicUnsupportedError} when no shard can take part, one that is named cannot, or one is not set up
 * @throws {ShardUnavailableError}
 */
export async function assertAtomicReady(registry: ShardRegistry, ids?: readonly ShardId[]): Promise<void> {
  const shards = atomicShardsOf(registry);
  if (ids || shards.able.length === 0) shards.assertAble(ids ?? registry.ids);
  await Promise.all((ids ?? shards.able).map((id) => shards.assertReady(id)));
}

/** The shards of a registry as parts of two-phase commits. */
export class AtomicShards {
  readonly log: DecisionLog;
  /** Ids of the transactions of this process that are under way: its recoverer leaves them alone. */
  readonly active = new Set<string>();

  constructor(readonly registry: ShardRegistry) {
    this.log = new DecisionLog(registry);
  }

  /** How a shard does its part; `undefined` when its engine cannot. */
  findDialect(id: ShardId): TwoPhaseDialect | undefined {
    return getEngine(this.registry.definition(id).url).twoPhase;
  }

  /** Shards that can take part, in configured order. */
  get able(): readonly ShardId[] {
    return this.registry.ids.filter((id) => this.findDialect(id) !== undefined);
  }

  /** @throws {AtomicUnsupportedError} for the first shard that cannot take part */
  assertAble(ids: readonly ShardId[]): void {
    for (const id of ids) {
      if (this.findDialect(id)) continue;
      const { name } = getEngine(this.registry.definition(id).url);
      throw new AtomicUnsupportedError(`Shard "${id}" is on ${name}, which has no two-phase commit.`, id);
    }
  }

  /** @throws {AtomicUnsupportedError} when the server keeps no prepared transactions */
  async assertReady(id: ShardId): Promise<void> {
    const { capacity } = this.findDialect(id) ?? {};
    const connection = this.registry.get(id).driver.getConnection('write');
    const [row] = capacity
      ? await runInSystemFrame('two-phase commit', () => connection.execute<{ capacity: unknown }[]>(capacity), {
          isBounded: true,
        })
      : [];
    if (row && Number(row.capacity) < 1) {
      const problem = `Shard "${id}" keeps no prepared transactions: max_prepared_transactions is 0.`;
      throw new AtomicUnsupportedError(`${problem} Set it to max_connections and restart the server.`, id);
    }
    await this.log.prepare(id);
  }

  /**
   * Makes everything ready for a transaction whose decision stands on `homeShard`.
   * @throws {AtomicUnsupportedError}
   */
  async begin(homeShard: ShardId): Promise<AtomicTransaction> {
    this.assertAble([homeShard]);
    if (homeShard.length > MAX_HOME_ID_LENGTH) {
      const problem = `The id of the home shard "${homeShard}" has more than ${MAX_HOME_ID_LENGTH} characters.`;
      throw new AtomicUnsupportedError(problem, homeShard);
    }
    await this.log.prepare(homeShard);
    const transaction = newTransaction(homeShard);
    this.active.add(transaction.id);
    return transaction;
  }

  nameOf(transaction: AtomicTransaction, id: ShardId): BranchName {
    return branchNameOf(transaction, id, this.registry.get(id));
  }
}
