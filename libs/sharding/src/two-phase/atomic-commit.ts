import { CommitFailedError } from '../errors/commit-failed.error.js';
import { isUnavailable } from '../fan-out/shard-failure.js';
import type { ShardBranch } from '../flush/shard-branch.js';
import type { AtomicTransaction } from './branch-names.js';
import type { Decision, DecisionLog } from './decision-log.js';

/**
 * Commits branches all or nothing: every branch but that of the home shard is prepared; then the decision is written as part
 * of the home shard's own transaction, and that is committed; then the others are told. A crash before that commit undoes
 * all of them, one after it none: the recoverer finds the prepared ones and reads the decision.
 *
 * @see Citus, which writes its commit records like this
 */
export async function commitAtomically(
  transaction: AtomicTransaction,
  branches: readonly ShardBranch[],
  log: DecisionLog,
): Promise<void> {
  const home = branches.at(-1) as ShardBranch;
  const others = branches.slice(0, -1);
  await prepareAll(others);
  await log.write(
    transaction,
    home.em,
    others.flatMap(({ name }) => name?.branch ?? []),
  );
  const decision = await decide(transaction, home, log);
  if (decision === undefined) {
    await Promise.all(others.map((branch) => branch.leave(undefined)));
    const unknown = [...others, home].map(({ id }) => id);
    throw new CommitFailedError({ committed: [], failed: [], unknown, rolledBack: [] }, { isAtomic: true });
  }
  // Decided: what cannot be told now is finished by the recoverer.
  await Promise.all(others.map((branch) => branch.finish()));
}

/** All must have answered before anything is rolled back under them. */
async function prepareAll(branches: readonly ShardBranch[]): Promise<void> {
  for (const result of await Promise.allSettled(branches.map((branch) => branch.prepare()))) {
    if (result.status === 'rejected') throw result.reason;
  }
}

/**
 * Commits the home shard. When its connection breaks meanwhile, only its database knows: it is asked on another one.
 * @returns `commit`, or `undefined` when nobody can be asked
 * @throws the error of the commit, when it is rolled back
 */
async function decide(
  transaction: AtomicTransaction,
  home: ShardBranch,
  log: DecisionLog,
): Promise<Decision | undefined> {
  try {
    await home.commit();
    return 'commit';
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    const decision = await log.settle(transaction).catch(() => undefined);
    if (decision === 'rollback') throw error;
    await home.leave(decision);
    return decision;
  }
}
