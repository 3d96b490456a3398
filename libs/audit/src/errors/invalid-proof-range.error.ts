import { AuditError } from './audit.error.js';

/** A consistency proof was asked for from a size that the sealed trail does not have. */
export class InvalidProofRangeError extends AuditError {
  readonly code = 'invalid_proof_range';

  constructor(
    readonly from: number,
    readonly size: number,
  ) {
    super(
      `The trail has ${size} sealed entries, not ${from}. A longer one elsewhere means that this is an older copy.`,
    );
  }
}
