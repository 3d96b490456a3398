import { AuditError } from './audit.error.js';

/** The key set has no such key, or not its private part. */
export class UnknownAuditKeyError extends AuditError {
  readonly code = 'unknown_audit_key';

  constructor(readonly keyId: string) {
    super(`The audit keys hold no usable key "${keyId}". "rowhouse audit keys" lists them.`);
  }
}
