import { AuditError } from './audit.error.js';

/** The end of a tenant's sealed trail is not as it was signed. Nothing more is sealed; `AuditVerifier` says where it broke. */
export class TrailBrokenError extends AuditError {
  readonly code = 'trail_broken';

  constructor(readonly because: string) {
    super(`The sealed trail was changed from outside: ${because}. Find out where with "rowhouse audit verify".`);
  }
}
