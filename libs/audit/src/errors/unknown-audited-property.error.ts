import { AuditError } from './audit.error.js';

/** `@Audited` names a property that its class does not have, so that a secret would be written down. Nothing is written. */
export class UnknownAuditedPropertyError extends AuditError {
  readonly code = 'unknown_audited_property';

  constructor(
    readonly entityName: string,
    readonly property: string,
  ) {
    super(`@Audited on ${entityName} names "${property}", which ${entityName} does not store. Correct the name.`);
  }
}
