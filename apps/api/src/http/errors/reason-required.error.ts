import { HttpError } from './http.error.js';

/** The route wants to know why, and the request does not say. Nothing was done. */
export class ReasonRequiredError extends HttpError {
  readonly code = 'reason_required';

  constructor() {
    super('Say why in the header X-Audit-Reason. It stands in the audit trail beside what you do.');
  }
}
