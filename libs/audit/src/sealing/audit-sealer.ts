import { UniqueConstraintViolationException } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';
import { currentContext } from '#libs/context';
import { appendRows, CurrentEntityManager, findLocked, newId, transactional } from '#libs/persistence';
import { AUDIT_MODULE_OPTIONS, type AuditModuleOptions } from '../audit.options.js';
import { AuditCheckpoint } from '../entities/audit-checkpoint.entity.js';
import { AuditLog } from '../entities/audit-log.entity.js';
import { AuditSeal } from '../entities/audit-seal.entity.js';
import { firstEntryIdAt } from '../entry-id.js';
import { SealingNotConfiguredError } from '../errors/sealing-not-configured.error.js';
import { TrailBrokenError } from '../errors/trail-broken.error.js';
import type { AuditKeyRing } from './audit-key-ring.js';
import type { AuditKeys } from './audit-keys.js';
import { type SignedCheckpoint, signCheckpoint, verifyCheckpoint } from './checkpoint.js';
import { leafOf, storedEntryText } from './entry-text.js';
import { fromText, type Hash, MerkleFrontier, toText } from './merkle-tree.js';
import { TrailRows, type UnsealedEntry } from './trail-rows.js';

/** How far back a round looks for entries. */
export interface SealRound {
  /**
   * Milliseconds before the newest seal. An entry gets its id just before its transaction commits, so the late ones are
   * late by moments; by more, where clocks of processes differ. Default: the whole trail.
   */
  readonly lookBackMs?: number;
}

/** What a round has done. */
export interface SealResult {
  /** Entries that were sealed. */
  readonly sealed: number;
  /** Ids of entries that nobody with the keys has written, or that were changed since. They are never sealed. */
  readonly refused: readonly string[];
  /** The present end of the trail. */
  readonly checkpoint: SignedCheckpoint;
}

/** Entries in one transaction: it holds the tenant's lock, and on SQLite everybody else's. */
const BATCH = 500;
const NIL = '00000000-0000-0000-0000-000000000000';
const DEFAULT_PERIOD_MS = 3_600_000;

interface Batch {
  readonly log: AuditLog;
  readonly found: readonly UnsealedEntry[];
  readonly refused: readonly string[];
  readonly sealed: number;
}

/**
 * Gives committed entries their places in the sealed trail of the context's tenant: numbers, chains and signs them. Works
 * in transactions of its own, after those of the changes; call it as often as you like, from as many processes. One seals
 * at a time, by a lock that ends with its connection; and that nothing is sealed twice, the keys of the table see to.
 *
 * @see docs/adr/0027-sealed-trail.md
 */
@Injectable()
export class AuditSealer {
  constructor(
    private readonly entityManager: CurrentEntityManager,
    @Inject(AUDIT_MODULE_OPTIONS) private readonly options: AuditModuleOptions,
  ) {}

  /**
   * Seals what is committed and has no place yet, in batches.
   *
   * @throws {SealingNotConfiguredError} @throws {NoTenantInContextError}
   * @throws {TrailBrokenError} the end of the trail is not as it was signed: somebody has been at the tables
   */
  async seal({ lookBackMs }: SealRound = {}): Promise<SealResult> {
    const keys = getKeys(this.options);
    const refused: string[] = [];
    let sealed = 0;
    for (let after: string | undefined; ; ) {
      const batch = await this.#sealBatch(keys, after, lookBackMs);
      sealed += batch.sealed;
      refused.push(...batch.refused);
      if (batch.found.length < BATCH) return { sealed, refused, checkpoint: readCheckpoint(batch.log) };
      after = batch.found.at(-1)?.entry.id as string;
    }
  }

  /** The present end of the trail, sealed or not; `undefined` before the first round. */
  async findCheckpoint(): Promise<SignedCheckpoint | undefined> {
    const log = await this.entityManager.get().fork().findOne(AuditLog, { id: this.#tenantId }, {});
    return log ? readCheckpoint(log) : undefined;
  }

  async #sealBatch(keys: AuditKeys, after: string | undefined, lookBackMs: number | undefined): Promise<Batch> {
    const work = (em: SqlEntityManager) => this.#seal(em, keys, after, lookBackMs);
    const unitOfWork = () => this.entityManager.get().fork();
    try {
      return await transactional(unitOfWork(), work);
    } catch (error) {
      // Another one has opened the same trail at the same moment. It is open now.
      if (!(error instanceof UniqueConstraintViolationException)) throw error;
      return transactional(unitOfWork(), work);
    }
  }

  async #seal(em: SqlEntityManager, keys: AuditKeys, from: string | undefined, lookBackMs?: number): Promise<Batch> {
    const log = await this.#lockLog(em, keys.ring());
    const before = readCheckpoint(log);
    const ring = keys.ring().has(before.keyId) ? keys.ring() : keys.fresh();
    const { frontier, isValid } = readEnd(log, ring);
    const after = from ?? (await this.#startOf(em, before, lookBackMs));
    const found = await new TrailRows(em, this.#tenantId).unsealed(after, BATCH);
    const accepted: UnsealedEntry[] = [];
    const refused: string[] = [];
    for (const it of found) {
      if (isAccepted(it, keys, before.opening)) accepted.push(it);
      else refused.push(it.entry.id as string);
    }
    const isLast = found.length < BATCH;
    const isResigned = !isValid || before.keyId !== ring.activeId;
    if (accepted.length > 0 || isResigned || (before.opening && isLast)) {
      const last = await this.#append(em, { before, frontier, accepted });
      await this.#closePeriod(em, before);
      log.checkpoint = JSON.stringify(next(before, frontier, last, before.opening && !isLast, ring));
      log.frontier = JSON.stringify(frontier.nodes.map(toText));
      await em.flush();
    }
    return { log, found, refused, sealed: accepted.length };
  }

  async #lockLog(em: SqlEntityManager, ring: AuditKeyRing): Promise<AuditLog> {
    const tenantId = this.#tenantId;
    const [log] = await findLocked(em, AuditLog, { id: tenantId });
    if (log) return log;
    const root = toText(new MerkleFrontier().root());
    const empty = { tenantId, size: 0, root, last: '', sealedAt: new Date().toISOString(), opening: true };
    const opened = em.create(AuditLog, { id: tenantId, checkpoint: JSON.stringify(signCheckpoint(empty, ring)) });
    await em.flush();
    return opened;
  }

  /** The id to begin behind. A clock that was set back has written ids below those of the newest seals. */
  async #startOf(em: SqlEntityManager, { size, opening }: SignedCheckpoint, lookBackMs?: number): Promise<string> {
    if (lookBackMs === undefined || opening || size === 0) return NIL;
    const newest = await em.findOne(AuditSeal, { position: size }, { disableIdentityMap: true });
    const digits = newest?.id.replace('-', '').slice(0, 12) ?? '0';
    return firstEntryIdAt(new Date(Math.min(Number.parseInt(digits, 16), Date.now()) - lookBackMs));
  }

  async #append(
    em: SqlEntityManager,
    {
      before,
      frontier,
      accepted,
    }: { before: SignedCheckpoint; frontier: MerkleFrontier; accepted: readonly UnsealedEntry[] },
  ): Promise<string> {
    let last = before.last;
    const leaves = accepted.map(({ entry }) => {
      last = leafOf(frontier.size + 1, last, storedEntryText(entry));
      frontier.append(fromText(last) as Hash);
      return last;
    });
    if (leaves.length > 0) {
      const target = { entityManager: em, transaction: em.getTransactionContext() };
      await appendRows(target as never, AuditSeal, {
        count: leaves.length,
        own: {
          id: accepted.map(({ entry }) => entry.id),
          position: leaves.map((_, index) => before.size + index + 1),
          leaf: leaves,
        },
        shared: { tenantId: this.#tenantId },
      });
    }
    return last;
  }

  /** The last checkpoint of a period stays, so that old ones can be looked up. */
  async #closePeriod(em: SqlEntityManager, before: SignedCheckpoint): Promise<void> {
    const { sealingPeriodMs = DEFAULT_PERIOD_MS } = this.options;
    const periodOf = (time: number) => Math.floor(time / sealingPeriodMs);
    if (before.size === 0 || periodOf(Date.parse(before.sealedAt)) >= periodOf(Date.now())) return;
    // One that was only signed anew since is there already.
    if ((await em.count(AuditCheckpoint, { size: before.size })) > 0) return;
    await appendRows({ entityManager: em, transaction: em.getTransactionContext() as never }, AuditCheckpoint, {
      count: 1,
      own: { id: [newId()], size: [before.size], checkpoint: [JSON.stringify(before)] },
      shared: { tenantId: this.#tenantId },
    });
  }

  get #tenantId(): string {
    return currentContext().getTenant().id;
  }
}

/** @throws {SealingNotConfiguredError} */
export function getKeys({ keys }: AuditModuleOptions): AuditKeys {
  if (!keys) throw new SealingNotConfiguredError();
  return keys;
}

export function readCheckpoint({ checkpoint, tenantId }: Pick<AuditLog, 'checkpoint' | 'tenantId'>): SignedCheckpoint {
  const read = parse<SignedCheckpoint>(checkpoint);
  if (read?.tenantId !== tenantId)
    throw new TrailBrokenError('the row of "audit_log" holds no checkpoint of its tenant');
  return read;
}

/**
 * Goes on only from what was signed: whoever has changed the end of the trail must not get it sealed. `isValid`: by a key
 * that counts.
 */
function readEnd(log: AuditLog, ring: AuditKeyRing): { readonly frontier: MerkleFrontier; readonly isValid: boolean } {
  const checkpoint = readCheckpoint(log);
  const verdict = verifyCheckpoint(checkpoint, ring);
  // One of a key that was revoked since is no proof any more, but it is where the trail went on; it is signed anew.
  if (verdict === 'invalid' || verdict === 'unknown_key') {
    throw new TrailBrokenError(`the signature of its checkpoint is not valid (${verdict}, key ${checkpoint.keyId})`);
  }
  const nodes = parse<unknown[]>(log.frontier)?.map(fromText) ?? [];
  const frontier = new MerkleFrontier(
    checkpoint.size,
    nodes.flatMap((node) => node ?? []),
  );
  if (!frontier.isWhole || toText(frontier.root()) !== checkpoint.root) {
    throw new TrailBrokenError('the edge of its tree is not the one that was signed');
  }
  return { frontier, isValid: verdict === 'valid' };
}

function parse<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

function isAccepted({ entry, stamp }: UnsealedEntry, keys: AuditKeys, opening: boolean): boolean {
  // Entries from before there were stamps are taken in once, when the trail is opened.
  if (stamp === null) return opening;
  const text = storedEntryText(entry);
  return keys.ring().hasStamped(text, stamp) || keys.fresh().hasStamped(text, stamp);
}

function next(
  before: SignedCheckpoint,
  frontier: MerkleFrontier,
  last: string,
  opening: boolean,
  ring: AuditKeyRing,
): SignedCheckpoint {
  const now = Math.max(Date.now(), Date.parse(before.sealedAt));
  const { size } = frontier;
  const sealedAt = new Date(now).toISOString();
  return signCheckpoint(
    { tenantId: before.tenantId, size, root: toText(frontier.root()), last, sealedAt, opening },
    ring,
  );
}
