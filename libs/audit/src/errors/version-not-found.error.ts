import { AuditError } from './audit.error.js';

/** The trail knows no such version of the entity: nobody recorded it, or the entity is another tenant's. */
export class VersionNotFoundError extends AuditError {
  readonly code = 'version_not_found';

  constructor(
    readonly entityId: string,
    readonly version: number,
  ) {
    super(`${entityId} has no version ${version}. AuditTrail.versions lists those there are.`);
  }
}
