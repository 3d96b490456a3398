import type { FilterQuery } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';
import { currentContext } from '#libs/context';
import { CurrentEntityManager, findInTransaction } from '#libs/persistence';
import { AUDIT_MODULE_OPTIONS, type AuditModuleOptions } from '../audit.options.js';
import { AuditEntry } from '../entities/audit-entry.entity.js';
import { firstEntryIdAt } from '../entry-id.js';
import { AuditEntryNotFoundError } from '../errors/audit-entry-not-found.error.js';
import type { RecordedChanges } from '../recorded-changes.js';
import { insertEntries } from '../recorder/entry-table.js';
import { circumstancesOf, clip } from '../recorder/new-entry.js';
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

const DEFAULT_LIMIT = 50;

/** The audit trail of the context's tenant: what happened to its rows, who did it and from where. */
@Injectable()
export class AuditTrail {
  constructor(
    private readonly entityManager: CurrentEntityManager,
    @Inject(AUDIT_MODULE_OPTIONS) private readonly options: AuditModuleOptions,
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
    const entries = found.slice(0, size);
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
    const insert = (em: SqlEntityManager) =>
      insertEntries({ entityManager: em, transaction: em.getTransactionContext() }, [event], circumstances);
    if (current) return insert(current);
    // A fork: what else waits in this unit of work is not flushed along.
    await entityManager.fork().transactional(insert);
  }

  get #tenantId(): string {
    return currentContext().getTenant().id;
  }
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
