import { HttpError } from './http.error.js';

/** `If-Match` names another version than the present one: somebody else was faster. */
export class VersionConflictError extends HttpError {
  readonly code = 'version_conflict';

  constructor() {
    super('The resource has changed since you read it. Read it again and repeat your change on what you find.');
  }
}
