import type { InputError } from '../problem.js';
import { HttpError } from './http.error.js';

/** The change would break a rule about what may exist together, such as a sku that is in use. */
export class ConflictError extends HttpError {
  readonly code = 'conflict';

  /** @param errors what stands against it, where there is more than one thing */
  constructor(
    detail: string,
    options?: ErrorOptions,
    readonly errors?: readonly InputError[],
  ) {
    super(detail, options);
  }
}
