import type { SqlEntityManager } from '@mikro-orm/sql';
import { currentContext } from '#libs/context';
import { bulkUpsert } from '../bulk/bulk-upsert.js';
import { TransactionNestingError } from '../errors/transaction-nesting.error.js';
import { findInTransaction } from '../events/find-in-transaction.js';
import { findLocked } from '../transactions/find-locked.js';
import { transactional } from '../transactions/transactional.js';
import { WorkProgress } from './work-progress.entity.js';

/** What a step has done, and where the next one begins. */
export interface StepResult<Position> {
  /** Anything that JSON holds. */
  readonly position: Position;
  /** Rows, lines, whatever is counted. */
  readonly done: number;
}

/**
 * One step of a long work, in a transaction and a unit of work of its own. Called again when others were in its way.
 *
 * @param position  where it begins; `undefined` for the first
 * @returns `undefined` when nothing is left to do
 */
export type Step<Position> = (
  entityManager: SqlEntityManager,
  position: Position | undefined,
) => Promise<StepResult<Position> | undefined>;

/** How a long work is named, watched and stopped. */
export interface StepOptions {
  /** Told after each step that is committed, and once at the end. */
  readonly onProgress?: (progress: StepProgress) => void | Promise<void>;
  /** Ends the work after the step that runs; it resumes there when it is called again. */
  readonly signal?: AbortSignal;
}

/** How far a long work is. */
export interface StepProgress {
  /** By all steps so far, those of earlier processes included. */
  readonly done: number;
  readonly isFinished: boolean;
}

/**
 * Does long work (an import, a report, a repair) in steps, each a transaction that also keeps where the next one begins. A
 * process that dies loses the step that ran and nothing else: called again under the same name, the work goes on there, and
 * what was done is not done twice. Work that is finished does nothing more; a new one has a new name. Of two processes that
 * do the same work, each does the steps that the other does not. Memory holds one step.
 *
 * Needs `WorkProgress` among the entities of the database.
 *
 * @param name  of this work of the tenant, such as `reprice 2026-03`; at most 200 characters
 * @throws {TransactionNestingError} inside a transaction, where nothing would be kept before its end
 * @throws whatever a step throws; what came before it is kept
 *
 * @example
 * await runInSteps<number>(em, 'import of March', async (tx, from = 0) => {
 *   const lines = await readLines(file, from, 500);
 *   await bulkInsert(tx, Product, lines);
 *   return lines.length === 0 ? undefined : { position: from + lines.length, done: lines.length };
 * });
 */
export async function runInSteps<Position>(
  entityManager: SqlEntityManager,
  name: string,
  step: Step<Position>,
  { onProgress, signal }: StepOptions = {},
): Promise<StepProgress> {
  if (findInTransaction(entityManager)) throw new TransactionNestingError('where steps end');
  // Not the caller's unit of work: each step is forgotten when it is committed.
  const fork = () => entityManager.fork({ disableContextResolution: true }) as SqlEntityManager;
  // Before the first step and not in it: of several who begin at once, all but one meet the row that the first has made.
  await bulkUpsert(fork(), WorkProgress, [{ name }], { by: ['name'] });
  for (;;) {
    const progress = await transactional(fork(), (tx) => runStep(tx, name, step));
    await onProgress?.(progress);
    if (progress.isFinished || signal?.aborted) return progress;
  }
}

async function runStep<Position>(tx: SqlEntityManager, name: string, step: Step<Position>): Promise<StepProgress> {
  const progress = await lockProgress(tx, name);
  if (progress.finishedAt) return { done: progress.done, isFinished: true };
  const position = progress.position === null ? undefined : (JSON.parse(progress.position) as Position);
  const result = await step(tx, position);
  if (result) {
    progress.position = JSON.stringify(result.position);
    progress.done += result.done;
  } else progress.finishedAt = new Date();
  return { done: progress.done, isFinished: !result };
}

/** Until the step has ended, nobody else begins one of this work. */
async function lockProgress(tx: SqlEntityManager, name: string): Promise<WorkProgress> {
  const tenantId = currentContext().getTenant().id;
  const [found] = await findLocked(tx, WorkProgress, { tenantId, name });
  if (!found) throw new Error(`The progress of "${name}" was deleted while it was at work.`);
  return found;
}
