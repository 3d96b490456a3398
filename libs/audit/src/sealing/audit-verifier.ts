import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';
import { currentContext } from '#libs/context';
import { CurrentEntityManager } from '#libs/persistence';
import { AUDIT_MODULE_OPTIONS, type AuditModuleOptions } from '../audit.options.js';
import { AuditCheckpoint } from '../entities/audit-checkpoint.entity.js';
import { AuditLog } from '../entities/audit-log.entity.js';
import { AuditPurge } from '../entities/audit-purge.entity.js';
import { TrailBrokenError } from '../errors/trail-broken.error.js';
import type { SignedPurge } from '../retention/purge-record.js';
import { AuditSealer, getKeys, readCheckpoint, type SealResult } from './audit-sealer.js';
import type { SignedCheckpoint } from './checkpoint.js';
import { type TrailFault, TrailProof, type TrailVerdict } from './trail-proof.js';
import { type SealedItem, TrailRows } from './trail-rows.js';

/** How to verify. */
export interface VerifyOptions {
  /** A checkpoint that was kept outside the database: an older copy of the database is noticed by nothing else. */
  readonly against?: SignedCheckpoint | undefined;
}

const PAGE = 2000;

/** Verifies the sealed trail of the context's tenant, entry by entry, against its seals, its tree and its checkpoints. */
@Injectable()
export class AuditVerifier {
  constructor(
    private readonly entityManager: CurrentEntityManager,
    private readonly sealer: AuditSealer,
    @Inject(AUDIT_MODULE_OPTIONS) private readonly options: AuditModuleOptions,
  ) {}

  /**
   * Seals what is waiting, then verifies everything. Reads page by page, in constant memory.
   *
   * @returns the first fault with its position, when there is one
   * @throws {SealingNotConfiguredError}
   */
  async verify({ against }: VerifyOptions = {}): Promise<TrailVerdict> {
    const sealing = await this.#seal();
    const em = this.entityManager.get().fork() as SqlEntityManager;
    const evidence = await this.evidence(em);
    const pages = this.pages(em, evidence.checkpoint?.size ?? 0);
    const latePurges = () => this.purgesSince(em, evidence.purges);
    const proof = new TrailProof({ ...evidence, latePurges, ...(against && { against }) });
    const verdict = await proof.run(pages);
    const [forged] = 'refused' in sealing ? sealing.refused : [];
    if (!verdict.ok) return verdict;
    const stray = await this.#findStray(em, verdict.entries);
    if (stray) return { ...verdict, ok: false, fault: stray };
    if (forged !== undefined) {
      const detail = 'the application did not write this entry, or it was changed before it was sealed';
      return {
        ...verdict,
        ok: false,
        fault: { kind: 'forged', position: verdict.entries + 1, entryId: forged, detail },
      };
    }
    if (!('because' in sealing)) return verdict;
    return { ...verdict, ok: false, fault: { kind: 'changed', position: verdict.entries, detail: sealing.because } };
  }

  /** Checkpoints of the present tenant, oldest first; the last one is the present end. */
  async checkpoints(em = this.entityManager.get().fork() as SqlEntityManager): Promise<SignedCheckpoint[]> {
    const kept = await em.find(AuditCheckpoint, {}, { orderBy: { size: 'asc' }, disableIdentityMap: true });
    const log = await em.findOne(AuditLog, { id: this.#tenantId }, { disableIdentityMap: true });
    return [...kept, ...(log ? [log] : [])].map(readCheckpoint);
  }

  /** What the trail of the present tenant is verified against. */
  async evidence(em: SqlEntityManager) {
    const all = await this.checkpoints(em);
    const purges = await this.purgesSince(em, []);
    return {
      tenantId: this.#tenantId,
      ring: getKeys(this.options).fresh(),
      checkpoint: all.at(-1),
      checkpoints: all.slice(0, -1),
      purges,
    };
  }

  /** Records of purges but for those that are known: one may purge while a trail is read. */
  async purgesSince(em: SqlEntityManager, known: readonly SignedPurge[]): Promise<SignedPurge[]> {
    const ids = new Set(known.map(({ id }) => id));
    const found = await em.find(AuditPurge, {}, { orderBy: { id: 'asc' }, disableIdentityMap: true });
    return found.filter(({ id }) => !ids.has(id)).map(({ record }) => JSON.parse(record) as SignedPurge);
  }

  /** All places up to `size`, page by page. */
  async *pages(em: SqlEntityManager, size: number): AsyncIterable<readonly SealedItem[]> {
    const rows = new TrailRows(em, this.#tenantId);
    let next = rows.sealed(0, size, PAGE);
    for (;;) {
      const page = await next;
      // The next page is read while this one is hashed.
      const last = page.at(-1)?.position ?? size;
      const more = page.length === PAGE;
      if (more) {
        next = rows.sealed(last, size, PAGE);
        // Nobody may be left to ask for it.
        next.catch(() => undefined);
      }
      yield page;
      if (!more) return;
    }
  }

  /** A seal behind the end: one that is being made now has its checkpoint by the time that is asked for. */
  async #findStray(em: SqlEntityManager, size: number): Promise<TrailFault | undefined> {
    const [item] = await new TrailRows(em, this.#tenantId).sealed(size, Number.MAX_SAFE_INTEGER, 1);
    if (!item || (await this.sealer.findCheckpoint())?.size !== size) return undefined;
    const detail = 'from here on no checkpoint covers the seals';
    return { kind: 'unsigned', position: size + 1, entryId: item.id, detail };
  }

  async #seal(): Promise<SealResult | TrailBrokenError> {
    try {
      return await this.sealer.seal();
    } catch (error) {
      // Where it broke is what is asked.
      if (error instanceof TrailBrokenError) return error;
      throw error;
    }
  }

  get #tenantId(): string {
    return currentContext().getTenant().id;
  }
}
