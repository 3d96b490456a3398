import type { AuditKeyRing } from './audit-key-ring.js';

/**
 * The port through which the lib reaches its keys. An app binds it to where they are kept: a file, a secret store. Asked
 * for each use, so that a rotation acts in a process that runs; keep the answer while nothing has changed.
 */
export abstract class AuditKeys {
  abstract ring(): AuditKeyRing;

  /**
   * The ring as it is kept now, however lately `ring` has looked. Asked before somebody is accused: another process may have
   * seen a new key sooner, and signed with it.
   */
  fresh(): AuditKeyRing {
    return this.ring();
  }
}

/** Keys that live as long as the object: for tests and benchmarks. */
export class FixedAuditKeys extends AuditKeys {
  constructor(private readonly fixed: AuditKeyRing) {
    super();
  }

  ring(): AuditKeyRing {
    return this.fixed;
  }
}
