import { TenancyError } from '../../errors/tenancy.error.js';

/**
 * A statement would reach rows of another tenant, or cannot be proven not to. Thrown before it is sent. The statement is
 * not repeated: its text may hold data.
 */
export class StatementRefusedError extends TenancyError {
  readonly code = 'statement_refused';

  /** @param reason what is missing or not understood, and what to write instead */
  constructor(readonly reason: string) {
    super(`This statement is refused: ${reason}.`);
  }
}
