import type { EntityClass, EntityMetadata, FilterQuery, Transaction } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { currentContext } from '#libs/context';
import { CurrentEntityManager, findInTransaction, onCommit } from '#libs/persistence';
import { AUDIT_MODULE_OPTIONS, type AuditModuleOptions } from '../audit.options.js';
import { AuditEntry } from '../entities/audit-entry.entity.js';
import { firstEntryIdAt } from '../entry-id.js';
import { PersonalCover } from '../erasure/personal-cover.js';
import { PersonalKeys } from '../erasure/personal-keys.js';
import { reveal } from '../erasure/reveal.js';
import { AuditEntryNotFoundError } from '../errors/audit-entry-not-found.error.js';
import { SealingNotConfiguredError } from '../errors/sealing-not-configured.error.js';
import { VersionNotFoundError } from '../errors/version-not-found.error.js';
import { auditedOptionsOf } from '../policy/audited.decorator.js';
import type { RecordedChanges } from '../recorded-changes.js';
import { insertEntries } from '../recorder/entry-table.js';
import { circumstancesOf, clip } from '../recorder/new-entry.js';
import { AuditVerifier, type VerifyOptions } from '../sealing/audit-verifier.js';
import type { TrailVerdict } from '../sealing/trail-proof.js';
import type { EntityState, EntityVersion, StateDifference, VersionPage } from './entity-version.js';
import { differenceOf, type RenamedProperties } from './fold-history.js';
import { Revert, type RevertResult } from './revert.js';
import { BULK_ACTIONS, Timeline } from './timeline.js';
import { fromCursor, toCursor } from './trail-cursor.js';

/** Which entries to list. Everything is optional and narrows; nothing means the whole trail. */
export interface TrailQuery {
  /** Concrete class, as in `AuditEntry.entityName`. */
  readonly entity?: string;
  readonly entityId?: string;
  readonly action?: string;
  readonly actorId?: string;
  /** Not before. */
  readonly from?: Date;
  /** Not after. */
  readonly to?: Date;
  /** Entries on a page. Default 50, at most `maxPageSize` of the module. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** Entries, newest first. */
export interface TrailPage {
  readonly entries: readonly AuditEntry[];
  /** Leads to the next page; `null` on the last one. */
  readonly nextCursor: string | null;
}

/** Something that belongs on record although no row changed: a log-in, a refusal, an export. */
export interface TrailEvent {
  /** Lower snake case, up to 60 characters: `tenant_mismatch`. Not `create`, `update` or `delete`. */
  readonly action: string;
  /** What it was about, if it was about a row. */
  readonly entity?: string;
  readonly entityId?: string;
  /** Facts by name. No secrets: they are stored and shown as they are. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Default: the context's. */
  readonly reason?: string;
}

/** Which versions to list. */
export interface VersionQuery {
  /** Versions on a page. Default 50, at most `maxPageSize` of the module. */
  readonly limit?: number;
  /** Only versions below this one: `nextBefore` of the page before. */
  readonly before?: number;
}

const DEFAULT_LIMIT = 50;
/** What makes a version; named events about a row change nothing of it. */
const VERSION_ACTIONS = ['create', 'update', 'delete'];

/** The audit trail of the context's tenant: what happened to its rows, who did it and from where. */
@Injectable()
export class AuditTrail {
  constructor(
    private readonly entityManager: CurrentEntityManager,
    @Inject(AUDIT_MODULE_OPTIONS) private readonly options: AuditModuleOptions,
    @Optional() private readonly verifier?: AuditVerifier,
    @Optional() private readonly personalKeys: PersonalKeys = new PersonalKeys(),
  ) {}

  /**
   * A page of entries, newest first. Pages stay in place while entries are added, and each costs the same.
   *
   * @throws {InvalidCursorError}
   * @throws {NoTenantInContextError}
   */
  async list({ limit = DEFAULT_LIMIT, cursor, ...query }: TrailQuery = {}): Promise<TrailPage> {
    const size = Math.min(Math.max(1, Math.trunc(limit)), this.options.maxPageSize ?? 100);
    const where = { tenantId: this.#tenantId, ...conditionOf(query, cursor) } as FilterQuery<AuditEntry>;
    // Entries never change, so there is no need to manage them, nor to look through them at the next flush.
    const found = await this.entityManager
      .get()
      .find(AuditEntry, where, { orderBy: { id: 'desc' }, limit: size + 1, disableIdentityMap: true });
    const entries = await reveal(found.slice(0, size), this.entityManager.get());
    const last = entries.at(-1);
    return { entries, nextCursor: last && found.length > size ? toCursor(last.id) : null };
  }

  /**
   * One entry.
   * @throws {AuditEntryNotFoundError} also for an entry of another tenant
   */
  async get(id: string): Promise<AuditEntry> {
    const where = { tenantId: this.#tenantId, id };
    const entry = await this.entityManager.get().findOne(AuditEntry, where, { disableIdentityMap: true });
    if (!entry) throw new AuditEntryNotFoundError(id);
    await reveal([entry], this.entityManager.get());
    return entry;
  }

  /**
   * Records an event of the context's tenant. Inside a transaction it is part of it, and vanishes with it; else it is
   * stored when the promise resolves, whatever becomes of the rest of the work.
   *
   * @throws {NoTenantInContextError}
   */
  async record({ action, entity, entityId, details = {}, reason }: TrailEvent): Promise<void> {
    const changes: RecordedChanges = Object.fromEntries(
      Object.entries(details).map(([name, value]) => [name, { old: null, new: value }]),
    );
    const event = {
      tenantId: this.#tenantId,
      action: action.slice(0, 60),
      entityName: clip(entity, 100),
      entityId: clip(entityId, 200),
      changes: JSON.stringify(changes),
    };
    const circumstances = circumstancesOf(currentContext(), reason);
    const entityManager = this.entityManager.get();
    const current = findInTransaction(entityManager);
    const { keys } = this.options;
    const insert = async (em: SqlEntityManager) => {
      const target = {
        entityManager: em,
        transaction: em.getTransactionContext() as Transaction,
        onCommit: (callback: () => void) => onCommit(em, callback),
        keys,
      };
      const personal = await PersonalCover.open(target, this.personalKeys, event.tenantId, { circumstances });
      await insertEntries(target, [event], personal.coverCircumstances());
    };
    if (current) return insert(current);
    // A fork: what else waits in this unit of work is not flushed along.
    await entityManager.fork().transactional(insert);
  }

  /**
   * The recorded versions of one entity, newest first.
   *
   * @param entity its class, or one that it extends: a base class stands for every class below it
   * @returns no versions for an id that the trail does not know; so also for one of another tenant
   */
  async versions(
    entity: EntityClass,
    id: string,
    { limit = DEFAULT_LIMIT, before }: VersionQuery = {},
  ): Promise<VersionPage> {
    const size = Math.min(Math.max(1, Math.trunc(limit)), this.options.maxPageSize ?? 100);
    const em = this.entityManager.get();
    const where = this.#historyOf(entity, id);
    const end = Math.min(
      before === undefined ? Number.POSITIVE_INFINITY : before - 1,
      await em.count(AuditEntry, where),
    );
    const offset = Math.max(0, end - size);
    if (end <= 0) return { versions: [], nextBefore: null };
    const found = await em.find(AuditEntry, where, {
      orderBy: { id: 'asc' },
      limit: end - offset,
      offset,
      disableIdentityMap: true,
    });
    await reveal(found, em);
    const versions = found.map((entry, index) => toVersion(entry, offset + index + 1)).reverse();
    return { versions, nextBefore: offset > 0 ? offset + 1 : null };
  }

  /**
   * The entity as it was after a version (a number) or at a time (a `Date`, to the millisecond), from the trail alone.
   *
   * @returns `undefined` before its first version, and for an id that the trail does not know; after a deletion a state
   *   with `exists: false` and the last values
   */
  async stateAt(entity: EntityClass, id: string, at: Date | number): Promise<EntityState | undefined> {
    const timeline = await this.#timelineOf(entity, id);
    return typeof at === 'number' ? timeline.afterVersion(at) : timeline.at(at);
  }

  /**
   * What differs between two versions of one entity, by property; many-to-many collections as lists of keys.
   *
   * @throws {VersionNotFoundError}
   */
  async diff(entity: EntityClass, id: string, from: number, to: number): Promise<StateDifference> {
    const timeline = await this.#timelineOf(entity, id);
    const [before, after] = [from, to].map((version) => {
      const state = timeline.afterVersion(version);
      if (!state) throw new VersionNotFoundError(id, version);
      return state;
    });
    return differenceOf(before as EntityState, after as EntityState);
  }

  /**
   * Puts an old version back, as a new change that is recorded like any other, together with an event `revert` that names
   * the version. A deleted entity is made again under its old id. One transaction; inside the caller's, a part of it.
   *
   * @param options `dryRun`: tells what would happen and finds conflicts, and writes nothing
   * @throws {VersionNotFoundError}
   * @throws {RevertConflictError} with all conflicts: unique values that are taken, rows referred to that are gone
   */
  async revert(
    entity: EntityClass,
    id: string,
    version: number,
    { dryRun = false }: { readonly dryRun?: boolean } = {},
  ): Promise<RevertResult> {
    return this.entityManager.get().transactional(async (em) => {
      // On this transaction: on an engine with one connection, another statement would wait for its end.
      const timeline = await this.#timelineOf(entity, id, em);
      const [target, now] = [timeline.afterVersion(version), timeline.last];
      if (!target || !now) throw new VersionNotFoundError(id, version);
      const result = await new Revert(em, id, target, now).run({ dryRun });
      if (!dryRun) {
        const { entityName } = target;
        await this.record({ action: 'revert', entity: entityName, entityId: id, details: { toVersion: version } });
      }
      return result;
    });
  }

  /**
   * Seals what is waiting and verifies the whole trail: that no entry is missing, changed, in another's place, forged or of
   * another tenant.
   *
   * @throws {SealingNotConfiguredError}
   */
  async verify(options: VerifyOptions = {}): Promise<TrailVerdict> {
    if (!this.verifier) throw new SealingNotConfiguredError();
    const verdict = await this.verifier.verify(options);
    const { ok, entries, fault } = verdict;
    await this.record({ action: 'audit_verified', details: { ok, entries, ...(fault && { fault: fault.kind }) } });
    return verdict;
  }

  #classesOf(entity: EntityClass): EntityMetadata[] {
    const metas = [...this.entityManager.get().getMetadata().getAll().values()];
    return metas.filter((meta) => isOf(meta, entity));
  }

  #renamedOf(entity: EntityClass): RenamedProperties {
    const options = this.#classesOf(entity).flatMap((meta) => auditedOptionsOf(meta.class));
    return Object.assign({}, ...options.map(({ renamed }) => renamed)) as RenamedProperties;
  }

  #historyOf(entity: EntityClass, id: string): FilterQuery<AuditEntry> {
    const names = this.#classesOf(entity).map(({ className }) => className);
    const where = { tenantId: this.#tenantId, entityName: names, entityId: id, action: VERSION_ACTIONS };
    return where as FilterQuery<AuditEntry>;
  }

  async #timelineOf(entity: EntityClass, id: string, em = this.entityManager.get()): Promise<Timeline> {
    const own = this.#historyOf(entity, id);
    const bulk = { ...(own as object), entityId: null, action: BULK_ACTIONS } as FilterQuery<AuditEntry>;
    const [entries, bulkEntries] = [await find(em, own), await find(em, bulk)];
    return new Timeline(entries, bulkEntries, id, this.#renamedOf(entity));
  }

  get #tenantId(): string {
    return currentContext().getTenant().id;
  }
}

/** Oldest first. */
async function find(em: SqlEntityManager, where: FilterQuery<AuditEntry>): Promise<AuditEntry[]> {
  return reveal(await em.find(AuditEntry, where, { orderBy: { id: 'asc' }, disableIdentityMap: true }), em);
}

function isOf({ class: own, prototype }: EntityMetadata, entity: EntityClass): boolean {
  return own === entity || prototype instanceof (entity as never);
}

function toVersion(entry: AuditEntry, version: number): EntityVersion {
  return { version, action: entry.action as EntityVersion['action'], at: entry.occurredAt, entry };
}

function conditionOf({ entity, entityId, action, actorId, from, to }: TrailQuery, cursor: string | undefined): object {
  const bounds = {
    ...(from && { $gte: firstEntryIdAt(from) }),
    ...(to && { $lt: firstEntryIdAt(new Date(to.getTime() + 1)) }),
  };
  const pages = cursor === undefined ? {} : { $lt: fromCursor(cursor) };
  return {
    ...(entity !== undefined && { entityName: entity }),
    ...(entityId !== undefined && { entityId }),
    ...(action !== undefined && { action }),
    ...(actorId !== undefined && { actorId }),
    $and: [{ id: bounds }, { id: pages }].filter(({ id }) => Object.keys(id).length > 0),
  };
}
