import type { InputError } from '../problem.js';
import { HttpError } from './http.error.js';

/** The request does not have the promised form. Names every place at once. */
export class InvalidInputError extends HttpError {
  readonly code = 'invalid_input';

  constructor(readonly errors: readonly InputError[]) {
    super('The request does not have the promised form; "errors" names every place.');
  }
}
