import { Injectable } from '@nestjs/common';
import { currentContext } from '#libs/context';
import { AuditPauseRefusedError } from '../errors/audit-pause-refused.error.js';
import { AuditTrail } from '../trail/audit-trail.js';
import { Pause, runPaused } from './pause.js';

/** Leaves a stretch of one tenant's work out of the trail, on record. There is no other way to turn the recorder off. */
@Injectable()
export class AuditPause {
  constructor(private readonly trail: AuditTrail) {}

  /**
   * Runs `fn` without recording what it changes of the context's tenant. An entry `audit_paused` is stored before it
   * begins, or it does not begin; `audit_resumed` afterwards tells how many rows of which class changed meanwhile. For
   * repairs that would record nothing but themselves, such as filling a new column.
   *
   * @param reason  stands in both entries
   * @throws {AuditPauseRefusedError} inside a transaction: it may hold changes from before, or go on afterwards
   * @throws {NoTenantInContextError}
   */
  async run<T>(reason: string, fn: () => Promise<T>): Promise<T> {
    const context = currentContext();
    const pause = new Pause(context.getTenant().id);
    if (context.inTransaction) throw new AuditPauseRefusedError();
    await this.trail.record({ action: 'audit_paused', reason });
    try {
      return await runPaused(pause, fn);
    } finally {
      pause.isOver = true;
      await this.trail.record({ action: 'audit_resumed', reason, details: { unrecorded: pause.unrecorded } });
    }
  }
}
