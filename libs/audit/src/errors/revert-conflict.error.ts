import { AuditError } from './audit.error.js';

/** Why a value of an old version cannot be put back. */
export interface RevertConflict {
  /** Property, or path of an embedded one. */
  readonly property: string;
  readonly detail: string;
}

/** An old version cannot be put back, because what is there now contradicts it. Nothing was written. */
export class RevertConflictError extends AuditError {
  readonly code = 'revert_conflict';

  /** @param conflicts all of them, so that whoever resolves them needs one look */
  constructor(
    readonly version: number,
    readonly conflicts: readonly RevertConflict[],
  ) {
    const list = conflicts.map(({ property, detail }) => `${property}: ${detail}`).join(' ');
    super(`Version ${version} cannot be put back. ${list}`);
  }
}
