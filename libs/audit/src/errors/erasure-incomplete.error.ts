import { AuditError } from './audit.error.js';

/** An erasure would have left personal values readable elsewhere, so nothing was erased. */
export class ErasureIncompleteError extends AuditError {
  readonly code = 'erasure_incomplete';

  /** @param beyond  what it would not reach */
  constructor(beyond: string) {
    super(`Nothing was erased: an erasure would not reach ${beyond}. Let that be removed, and erase again.`);
  }
}
