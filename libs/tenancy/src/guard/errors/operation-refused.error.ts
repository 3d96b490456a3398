import { TenancyError } from '../../errors/tenancy.error.js';

/** An operation of the ORM that cannot be kept inside one tenant, or that corrupts rows. Thrown before any SQL. */
export class OperationRefusedError extends TenancyError {
  readonly code = 'operation_refused';

  /**
   * @param operation the method as written, such as `em.clone()`
   * @param because what would go wrong
   * @param instead what to write instead
   */
  constructor(
    readonly operation: string,
    readonly because: string,
    readonly instead: string,
  ) {
    super(`${operation} is refused: ${because}. ${instead}`);
  }
}
