import { setTimeout as delay } from 'node:timers/promises';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { BulkRowError } from '../errors/bulk-row.error.js';
import { RowConstraintError } from '../errors/row-constraint.error.js';
import { type BulkRequest, runBulkWrite } from '../events/bulk-write.js';
import { type Batch, cutBatches } from './batches.js';
import type { BulkOptions, RowSource } from './bulk.options.js';
import type { EntityLayout } from './entity-layout.js';
import type { SourceRow } from './mapped-column.js';
import { constraintOf, isTransient } from './row-constraints.js';
import { locate } from './row-location.js';

/** What became of some rows. */
export interface Outcome {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly faults: readonly BulkRowError[];
}

export const NOTHING: Outcome = { inserted: 0, updated: 0, unchanged: 0, faults: [] };

export function add(a: Outcome, b: Outcome): Outcome {
  return {
    inserted: a.inserted + b.inserted,
    updated: a.updated + b.updated,
    unchanged: a.unchanged + b.unchanged,
    faults: b.faults.length > 0 ? [...a.faults, ...b.faults] : a.faults,
  };
}

/** Writes rows on the transaction of `em`. May be called again with the same rows after a rollback. */
export type WriteRows = (em: SqlEntityManager, batch: Batch) => Promise<Outcome>;

/** Rows that are in work at once, whatever the size of a batch. */
const ROWS_IN_WORK = 2000;
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 10;

/**
 * Writes a source batch by batch, each in a transaction of its own (a savepoint inside the caller's). When the database
 * refuses a batch, the batch is rolled back and written again in halves until the rows to blame stand alone: no engine
 * but PostgreSQL says which row it was.
 */
export class BatchRunner {
  constructor(
    private readonly em: SqlEntityManager,
    private readonly layout: EntityLayout,
    private readonly options: BulkOptions & { readonly by?: readonly string[] },
    private readonly writeRows: WriteRows,
    /** What changes of a batch say of it. */
    private readonly request: BulkRequest,
  ) {}

  async run(source: RowSource<object>): Promise<Omit<Outcome, 'faults'> & { rejected: number }> {
    let total = NOTHING;
    let rejected = 0;
    for await (const batch of cutBatches(source, this.options.batchSize)) {
      const { faults, ...counts } = await runBulkWrite({ ...this.request, rows: batch.rows.length }, () =>
        this.#repeatedly(() => this.#writeBatch(batch)),
      );
      total = add(total, { ...counts, faults: [] });
      rejected += faults.length;
      for (const fault of faults.toSorted((a, b) => a.index - b.index)) this.options.onRejected?.(fault.index, fault);
    }
    const { faults: _, ...counts } = total;
    return { ...counts, rejected };
  }

  async #writeBatch(batch: Batch): Promise<Outcome> {
    try {
      return await this.#inTransaction(this.em, (em) => this.#write(em, batch));
    } catch (error) {
      if (!constraintOf(error, this.layout.dialect)) throw error;
      // A row that stands alone gets a second look, as each row of a larger batch does: somebody else may have made it since.
      const isAlone = batch.rows.length === 1;
      return this.#inTransaction(this.em, (em) =>
        isAlone ? this.#writePart(em, batch) : this.#isolate(em, batch, error),
      );
    }
  }

  /** @param error what the batch as a whole met */
  async #isolate(em: SqlEntityManager, { rows, firstIndex }: Batch, error: unknown): Promise<Outcome> {
    if (rows.length === 1) return { ...NOTHING, faults: [this.#toFault(rows[0], firstIndex, error)] };
    const middle = rows.length >> 1;
    const first = await this.#writePart(em, { rows: rows.slice(0, middle), firstIndex });
    return add(first, await this.#writePart(em, { rows: rows.slice(middle), firstIndex: firstIndex + middle }));
  }

  async #writePart(em: SqlEntityManager, part: Batch): Promise<Outcome> {
    try {
      return await this.#inTransaction(em, (inner) => this.#write(inner, part));
    } catch (error) {
      if (!constraintOf(error, this.layout.dialect)) throw error;
      return this.#isolate(em, part, error);
    }
  }

  async #write(em: SqlEntityManager, { rows, firstIndex }: Batch): Promise<Outcome> {
    let outcome = NOTHING;
    for (let from = 0; from < rows.length; from += ROWS_IN_WORK) {
      const part = rows.length > ROWS_IN_WORK ? rows.slice(from, from + ROWS_IN_WORK) : rows;
      outcome = add(outcome, await this.writeRows(em, { rows: part, firstIndex: firstIndex + from }));
      const [fault] = outcome.faults.toSorted((a, b) => a.index - b.index);
      if (fault && !this.options.onRejected) throw fault;
    }
    return outcome;
  }

  /** The fork knows no entities: nothing that waits in the caller's unit of work is flushed here. */
  #inTransaction<T>(em: SqlEntityManager, work: (em: SqlEntityManager) => Promise<T>): Promise<T> {
    return em.transactional(work, { clear: true });
  }

  /** Deadlocks are nobody's fault and rows are still at hand; a transaction of the caller's is the caller's to repeat. */
  async #repeatedly<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        const isLast = attempt === ATTEMPTS || this.em.isInTransaction();
        if (isLast || !isTransient(error, this.layout.dialect)) throw error;
        await delay(FIRST_PAUSE_MS * 2 ** attempt * (0.5 + Math.random()));
      }
    }
  }

  #toFault(row: SourceRow | undefined, index: number, cause: unknown): BulkRowError {
    const fault = new RowConstraintError(
      locate(this.layout.meta, this.options.by, row, index),
      constraintOf(cause, this.layout.dialect) ?? 'value',
      { cause },
    );
    if (!this.options.onRejected) throw fault;
    return fault;
  }
}
