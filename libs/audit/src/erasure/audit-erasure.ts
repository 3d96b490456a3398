import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, Optional } from '@nestjs/common';
import { currentContext } from '#libs/context';
import { CentralEntityManager, CurrentEntityManager, runInSystemFrame, transactional } from '#libs/persistence';
import { AuditSubjectKey } from '../entities/audit-subject-key.entity.js';
import { ErasedSubjectKey } from '../entities/erased-subject-key.entity.js';
import { ErasureIncompleteError } from '../errors/erasure-incomplete.error.js';
import { AuditTrail } from '../trail/audit-trail.js';
import { ErasureReach } from './erasure-reach.js';
import { PersonalKeys } from './personal-keys.js';

/** What an erasure has done. */
export interface ErasureResult {
  /** Keys that were destroyed; 0 when the trail knew nothing personal of the person. */
  readonly keys: number;
}

/** Keys in one query. */
const KEYS_AT_ONCE = 500;

/**
 * Erases what is personal about somebody from the trail of the context's tenant, by destroying the keys it lies under: in
 * every entry and in every export made from then on. No entry is changed, so the trail verifies as before.
 *
 * A list in the central database names the destroyed keys, by random ids. From it a tenant's database that comes back from a
 * backup is erased again.
 */
@Injectable()
export class AuditErasure {
  constructor(
    private readonly entityManager: CurrentEntityManager,
    private readonly trail: AuditTrail,
    private readonly personalKeys: PersonalKeys,
    @Optional() private readonly central?: CentralEntityManager,
    @Optional() private readonly reach?: ErasureReach,
  ) {}

  /**
   * @param subject id of the person: an actor's, or of the row whose `personal` properties are meant
   * @throws {ErasureIncompleteError} while the trail is somewhere else as well; nothing was erased
   */
  async erase(subject: string): Promise<ErasureResult> {
    const em = this.entityManager.get().fork() as SqlEntityManager;
    const found = await em.find(AuditSubjectKey, { subject }, { disableIdentityMap: true });
    const ids = found.map(({ id }) => id);
    // Also when there is none here: none may be left there.
    await this.#assertReached();
    if (ids.length === 0) return { keys: 0 };
    // On the list first: whatever happens now, the next sweep finishes it.
    await this.#list(ids);
    await this.#destroy(ids);
    return { keys: ids.length };
  }

  /**
   * Destroys keys that are on the list and are there again.
   * @throws {ErasureIncompleteError} when there are, and the trail is somewhere else as well
   */
  async eraseAgain(): Promise<ErasureResult> {
    const em = this.entityManager.get().fork() as SqlEntityManager;
    const listed = await this.#listed();
    const back: string[] = [];
    for (let start = 0; start < listed.length; start += KEYS_AT_ONCE) {
      const where = { id: { $in: listed.slice(start, start + KEYS_AT_ONCE) } };
      const found = await em.find(AuditSubjectKey, where, { fields: ['id'], disableIdentityMap: true });
      back.push(...found.map(({ id }) => id));
    }
    if (back.length > 0) {
      await this.#assertReached();
      await this.#destroy(back);
    }
    return { keys: back.length };
  }

  async #assertReached(): Promise<void> {
    const beyond = await this.reach?.findBeyond(this.#tenantId);
    if (beyond !== undefined) throw new ErasureIncompleteError(beyond);
  }

  async #destroy(ids: readonly string[]): Promise<void> {
    const tenantId = this.#tenantId;
    this.personalKeys.forget(tenantId);
    await transactional(this.entityManager.get().fork(), async (em) => {
      const table = em.getDriver().getTableName(em.getMetadata().get(AuditSubjectKey), { schema: em.schema });
      const marks = ids.map(() => '?').join(', ');
      // Nobody else may delete keys.
      await runInSystemFrame('erase personal values', () =>
        em.execute(`delete from ${table} where tenant_id = ? and id in (${marks})`, [tenantId, ...ids]),
      );
      // Of the person it says nothing: a key's id is a random one.
      await this.trail.record({ action: 'personal_values_erased', details: { keys: ids } });
    });
    this.personalKeys.forget(tenantId);
  }

  async #list(ids: readonly string[]): Promise<void> {
    if (!this.central) return;
    const rows = ids.map((id) => ({ id, tenantId: this.#tenantId, erasedAt: new Date() }));
    // An erasure that was broken off has left them there.
    await this.central.get().fork().upsertMany(ErasedSubjectKey, rows, { onConflictAction: 'ignore' });
  }

  async #listed(): Promise<string[]> {
    if (!this.central) return [];
    const em = this.central.get().fork() as SqlEntityManager;
    const found = await em.find(ErasedSubjectKey, { tenantId: this.#tenantId }, { disableIdentityMap: true });
    return found.map(({ id }) => id);
  }

  get #tenantId(): string {
    return currentContext().getTenant().id;
  }
}
