/** How far a transaction is kept from what others do at the same time. SQLite runs one after the other, whatever is asked. */
export type IsolationLevel = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable';

/**
 * What to do where a transaction is open already, or is not.
 *
 * | | open | not open |
 * |---|---|---|
 * | `nested` | a savepoint: when it fails, only its own work is undone | begins one |
 * | `required` | part of the open one | begins one |
 * | `mandatory` | part of the open one | `TransactionRequiredError` |
 * | `requires_new` | one of its own, on a second connection; what becomes of the open one does not matter to it. `ConnectionHeldError` where there is only one connection | begins one |
 */
export type Propagation = 'nested' | 'required' | 'mandatory' | 'requires_new';

/** How a transaction is begun and repeated; the outermost one decides for those inside it. */
export interface TransactionOptions {
  /** Default: that of the database (`read committed` on PostgreSQL, `repeatable read` on MySQL and MariaDB). */
  readonly isolation?: IsolationLevel;
  /** Refuses writes, by the database itself. Default false. */
  readonly readOnly?: boolean;
  /** Default `nested`. */
  readonly propagation?: Propagation;
  /**
   * How often the work may be begun when other transactions are in its way. `1` for work that must not run twice, such as
   * one that reads a stream. Default 5. Has no effect inside another transaction: only the outermost can be repeated.
   */
  readonly maxAttempts?: number;
}
