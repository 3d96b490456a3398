/** Base of every error this lib throws. `code` is stable and may be matched; the message is for people. */
export abstract class AuditError extends Error {
  abstract readonly code: string;
  override readonly name = this.constructor.name;
}
