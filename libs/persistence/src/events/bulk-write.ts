import { AsyncLocalStorage } from 'node:async_hooks';

/** What the caller of a bulk write asked for. Values are as given, secrets included: whoever shows it withholds them. */
export interface BulkRequest {
  readonly kind: 'insert' | 'upsert' | 'update' | 'delete';
  /** Which rows, as `em.find` would take it; absent where they were given by key or as rows. */
  readonly where?: object;
  /** What all of them were to hold; SQL expressions among it. */
  readonly set?: object;
}

/** One batch of a bulk write: what was written, whole or not at all. The same object for all changes of the batch. */
export interface BulkWrite extends BulkRequest {
  /** Rows that the batch is about, those that turn out to be unchanged included. */
  readonly rows: number;
}

const writes = new AsyncLocalStorage<BulkWrite>();

/** Runs `fn` as a batch of a bulk write: changes announced in it carry `write`. */
export function runBulkWrite<T>(write: BulkWrite, fn: () => T): T {
  return writes.run(write, fn);
}

/** The batch that the current call belongs to. */
export function findBulkWrite(): BulkWrite | undefined {
  return writes.getStore();
}
