import { TenancyError } from './tenancy.error.js';

/** A tenant cannot be moved, or not there, or not now. Nothing was changed. */
export class TenantMoveRefusedError extends TenancyError {
  readonly code = 'tenant_move_refused';

  constructor(
    readonly slug: string,
    because: string,
    options?: ErrorOptions,
  ) {
    super(`The tenant "${slug}" is not moved: ${because}`, options);
  }
}
