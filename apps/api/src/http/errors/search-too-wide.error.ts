import { HttpError } from './http.error.js';

/** A search would have to ask more places of single tenants than one request may. Nothing was read. */
export class SearchTooWideError extends HttpError {
  readonly code = 'search_too_wide';

  constructor(found: number, most: number) {
    super(
      `${found} tenants have a schema or a database of their own, and one search asks at most ${most} of these. Name the tenants it is about: ?tenant=<slug>,<slug>.`,
    );
  }
}
