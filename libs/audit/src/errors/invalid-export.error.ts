import { AuditError } from './audit.error.js';

/** A file is no whole export of a trail. */
export class InvalidExportError extends AuditError {
  readonly code = 'invalid_export';

  constructor(
    readonly line: number,
    readonly because: string,
  ) {
    super(`This is no whole export of an audit trail: line ${line}: ${because}. Export the trail again, as NDJSON.`);
  }
}
