import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';
import { currentContext } from '#libs/context';
import {
  appendRows,
  CurrentEntityManager,
  findLocked,
  newId,
  runInSystemFrame,
  transactional,
} from '#libs/persistence';
import { AUDIT_MODULE_OPTIONS, type AuditModuleOptions } from '../audit.options.js';
import { AuditHold, type HoldScope } from '../entities/audit-hold.entity.js';
import { AuditLog } from '../entities/audit-log.entity.js';
import { AuditPurge } from '../entities/audit-purge.entity.js';
import { firstEntryIdAt } from '../entry-id.js';
import { HoldNotFoundError } from '../errors/hold-not-found.error.js';
import { RetentionTooShortError } from '../errors/retention-too-short.error.js';
import { AuditSealer, getKeys } from '../sealing/audit-sealer.js';
import { type Purgeable, TrailRows } from '../sealing/trail-rows.js';
import { AuditTrail } from '../trail/audit-trail.js';
import { type PurgeRecord, purgeDigest, signPurge, toRanges } from './purge-record.js';

/** What to purge. */
export interface PurgeRequest {
  /** Entries from before this time. */
  readonly before: Date;
  /** Why, in words that whoever reads the trail later understands: the rule it follows. */
  readonly reason: string;
  /** Only count. */
  readonly dryRun?: boolean;
}

/** What a purge has taken, or would take. */
export interface PurgeResult {
  readonly purged: number;
  /** Old enough, and kept by a legal hold. */
  readonly held: number;
}

const DEFAULT_MIN_RETENTION_DAYS = 90;
const DAY_MS = 86_400_000;
/** Entries in one transaction, and in one signed record. */
const BATCH = 5000;

/**
 * Takes old entries out of the trail of the context's tenant. Their seals stay, with a signed record of the purge: so the
 * rest verifies as before, and a purge can be told from a loss. Every use is an entry itself.
 */
@Injectable()
export class AuditRetention {
  constructor(
    private readonly entityManager: CurrentEntityManager,
    private readonly trail: AuditTrail,
    private readonly sealer: AuditSealer,
    @Inject(AUDIT_MODULE_OPTIONS) private readonly options: AuditModuleOptions,
  ) {}

  /**
   * Purges sealed entries by age, but for those on hold. In several transactions: when one fails, what those before it
   * took is gone and on record, and the call can be repeated.
   *
   * @throws {RetentionTooShortError} @throws {SealingNotConfiguredError}
   */
  async purge({ before, reason, dryRun = false }: PurgeRequest): Promise<PurgeResult> {
    const { minRetentionDays = DEFAULT_MIN_RETENTION_DAYS } = this.options;
    if (before.getTime() > Date.now() - minRetentionDays * DAY_MS)
      throw new RetentionTooShortError(before, minRetentionDays);
    await this.sealer.seal();
    let [purged, held] = [0, 0];
    for (let after = 0; ; ) {
      const batch = await transactional(this.entityManager.get().fork(), (em) =>
        this.#purgeBatch(em, after, { before, reason, dryRun }),
      );
      purged += batch.purged;
      held += batch.held;
      if (batch.last === undefined) return { purged, held };
      after = batch.last;
    }
  }

  /** Holds in force, oldest first. */
  holds(em = this.entityManager.get()): Promise<AuditHold[]> {
    return em.find(AuditHold, { releasedAt: null }, { orderBy: { id: 'asc' } });
  }

  /** Keeps entries from being purged until it is released. Waits for a purge under way, which has not seen it. */
  placeHold(reason: string, scope: HoldScope = {}): Promise<AuditHold> {
    return transactional(this.entityManager.get(), async (em) => {
      await findLocked(em, AuditLog, { id: currentContext().getTenant().id });
      const hold = new AuditHold(reason, scope);
      em.persist(hold);
      return hold;
    });
  }

  /** @throws {HoldNotFoundError} */
  async releaseHold(id: string): Promise<AuditHold> {
    const em = this.entityManager.get();
    const hold = await em.findOne(AuditHold, { id, releasedAt: null });
    if (!hold) throw new HoldNotFoundError(id);
    hold.releasedAt = new Date();
    await em.flush();
    return hold;
  }

  async #purgeBatch(em: SqlEntityManager, after: number, request: Required<PurgeRequest>) {
    const tenantId = currentContext().getTenant().id;
    // Keeps two purges from taking the same entries, and holds from being placed before these are taken.
    await findLocked(em, AuditLog, { id: tenantId });
    const rows = new TrailRows(em, tenantId);
    const found = await rows.purgeable(after, firstEntryIdAt(request.before), BATCH);
    const holds = await this.holds(em);
    const taken = found.filter((entry) => !holds.some((hold) => covers(hold, entry)));
    if (taken.length > 0 && !request.dryRun) await this.#take(em, rows, taken, request);
    const last = found.length === BATCH ? found.at(-1)?.position : undefined;
    return { purged: taken.length, held: found.length - taken.length, last };
  }

  async #take(
    em: SqlEntityManager,
    rows: TrailRows,
    taken: readonly Purgeable[],
    request: PurgeRequest,
  ): Promise<void> {
    const tenantId = currentContext().getTenant().id;
    const record: PurgeRecord = {
      id: newId(),
      tenantId,
      purgedAt: new Date().toISOString(),
      before: request.before.toISOString(),
      ranges: toRanges(taken.map(({ position }) => position)),
      reason: request.reason,
    };
    await appendRows({ entityManager: em, transaction: em.getTransactionContext() as never }, AuditPurge, {
      count: 1,
      own: { id: [record.id], record: [JSON.stringify(signPurge(record, getKeys(this.options).ring()))] },
      shared: { tenantId },
    });
    // Nobody else may delete entries.
    await runInSystemFrame('purge audit entries', () => rows.deleteEntries(taken.map(({ id }) => id)));
    await this.trail.record({
      action: 'audit_purged',
      details: { purge: record.id, digest: purgeDigest(record), entries: taken.length, before: record.before },
      reason: request.reason,
    });
  }
}

function covers(hold: AuditHold, { entityName, entityId, actorId }: Purgeable): boolean {
  const matches = (wanted: string | null, is: string | null) => wanted === null || wanted === is;
  // One entry for many rows names none of them here; it may tell of any.
  const isOfMany = entityName !== null && entityId === null;
  const isSameRow = isOfMany || matches(hold.entityId, entityId);
  return matches(hold.entityName, entityName) && isSameRow && matches(hold.actorId, actorId);
}
