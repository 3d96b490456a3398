import type { EngineName } from '../engines/engine.js';
import { PersistenceError } from './persistence.error.js';

/** The engine cannot lock rows in the way that was asked for; or nobody can, in a transaction that reads only. No SQL was sent. */
export class LockUnsupportedError extends PersistenceError {
  readonly code = 'lock_unsupported';

  /** @param lock what was asked for, such as `exclusive lock with skip` */
  constructor(
    readonly engine: EngineName,
    readonly lock: string,
    because: string,
  ) {
    super(`${engine} gives no ${lock}: ${because}.`);
  }
}
