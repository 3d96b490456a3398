import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';
import { currentContext } from '#libs/context';
import { CurrentEntityManager } from '#libs/persistence';
import { AUDIT_MODULE_OPTIONS, type AuditModuleOptions } from '../audit.options.js';
import type { PersonalKey } from '../erasure/personal-cipher.js';
import { findKeys, keyIdsOf, revealActor, revealChanges } from '../erasure/reveal.js';
import { AuditSealer, getKeys } from '../sealing/audit-sealer.js';
import { AuditVerifier } from '../sealing/audit-verifier.js';
import type { StoredEntry } from '../sealing/entry-text.js';
import type { SealedItem } from '../sealing/trail-rows.js';
import { AuditTrail } from '../trail/audit-trail.js';
import { toCsvLine } from './csv.js';
import { EXPORT_FORMAT, type ExportLine } from './export-line.js';

/** Which entries to export; nothing means all. */
export interface ExportQuery {
  /** Not before. */
  readonly from?: Date | undefined;
  /** Before. */
  readonly to?: Date | undefined;
}

const CSV_COLUMNS = [
  'position',
  'id',
  'at',
  'action',
  'entity',
  'entityId',
  'changes',
  'actorId',
  'actorType',
  'actorEmail',
  'onBehalfOf',
  'requestId',
  'route',
  'method',
  'ip',
  'userAgent',
  'reason',
];

/** A page of places, and the keys of what is personal in it. */
interface Page {
  readonly items: readonly SealedItem[];
  readonly keys: ReadonlyMap<string, PersonalKey>;
}

/**
 * Writes the sealed trail of the context's tenant out, page by page, in memory that does not grow with it. What was erased
 * or purged is not in it; that it was there, is.
 */
@Injectable()
export class AuditExporter {
  constructor(
    private readonly entityManager: CurrentEntityManager,
    private readonly trail: AuditTrail,
    private readonly sealer: AuditSealer,
    private readonly verifier: AuditVerifier,
    @Inject(AUDIT_MODULE_OPTIONS) private readonly options: AuditModuleOptions,
  ) {}

  /**
   * JSON lines that `verifyExport` verifies without any database. Of entries that the query leaves out, only the hashes.
   * Put on record before the first line.
   */
  async *ndjson(query: ExportQuery = {}): AsyncGenerator<string> {
    const em = await this.#begin('ndjson', query);
    const { checkpoint } = await this.sealer.seal();
    const { checkpoints, purges } = await this.verifier.evidence(em);
    const isWhole = query.from === undefined && query.to === undefined;
    const head = { format: EXPORT_FORMAT, tenantId: this.#tenantId, isWhole, checkpoint };
    yield toLine({ kind: 'trail', ...head, keys: getKeys(this.options).fresh().publicKeys() });
    for (const it of checkpoints) if (it.size < checkpoint.size) yield toLine({ kind: 'checkpoint', checkpoint: it });
    for (const purge of purges) yield toLine({ kind: 'purge', purge });
    for await (const { items, keys } of this.#pages(em, checkpoint.size)) {
      // One that came while this was written: without its record what it took would be a loss.
      const late = items.every(({ entry }) => entry) ? [] : await this.verifier.purgesSince(em, purges);
      for (const purge of late) yield toLine({ kind: 'purge', purge });
      purges.push(...late);
      yield items.map((item) => toLine(toItemLine(item, keys, query))).join('');
    }
    yield toLine({ kind: 'end', size: checkpoint.size });
  }

  /** For spreadsheets: a line for each entry, none of whose cells is a formula. */
  async *csv(query: ExportQuery = {}): AsyncGenerator<string> {
    const em = await this.#begin('csv', query);
    const { checkpoint } = await this.sealer.seal();
    yield toCsvLine(CSV_COLUMNS);
    for await (const { items, keys } of this.#pages(em, checkpoint.size)) {
      const lines = items.flatMap(({ position, entry }) =>
        entry && isWanted(entry, query) ? toCsvLine(toCells(position, entry, keys)) : [],
      );
      yield lines.join('');
    }
  }

  async #begin(format: string, { from, to }: ExportQuery): Promise<SqlEntityManager> {
    const details = { format, ...(from && { from }), ...(to && { to }) };
    await this.trail.record({ action: 'audit_exported', details });
    return this.entityManager.get().fork() as SqlEntityManager;
  }

  async *#pages(em: SqlEntityManager, size: number): AsyncGenerator<Page> {
    for await (const items of this.verifier.pages(em, size)) {
      const entries = items.flatMap(({ entry }) => (entry ? toCovered(entry) : []));
      yield { items, keys: await findKeys(keyIdsOf(entries), em) };
    }
  }

  get #tenantId(): string {
    return currentContext().getTenant().id;
  }
}

/** JSON leaves two characters as they are that many readers take for the end of a line. */
const LINE_ENDS = /[\u2028\u2029]/g;

function toLine(line: ExportLine): string {
  const text = JSON.stringify(line).replaceAll(LINE_ENDS, (end) => (end === '\u2028' ? '\\u2028' : '\\u2029'));
  return `${text}\n`;
}

function toCovered({ changes, personal }: StoredEntry) {
  return { changes: changes as string, personal: personal as string | null };
}

function isWanted({ occurredAt }: StoredEntry, { from, to }: ExportQuery): boolean {
  const time = occurredAt as number;
  return (from === undefined || time >= from.getTime()) && (to === undefined || time < to.getTime());
}

function toItemLine({ position, id, leaf, entry }: SealedItem, keys: Page['keys'], query: ExportQuery): ExportLine {
  if (!entry) return { kind: 'purged', position, id, leaf };
  if (!isWanted(entry, query)) return { kind: 'omitted', position, id, leaf };
  const covered = toCovered(entry);
  const isPersonal = keyIdsOf([covered]).size > 0;
  const readable = isPersonal && {
    changes: JSON.parse(revealChanges(covered.changes, keys)),
    ...revealActor(covered, keys),
  };
  return { kind: 'entry', position, id, leaf, entry, ...(readable && { readable }) };
}

function toCells(position: number, entry: StoredEntry, keys: Page['keys']): unknown[] {
  const covered = toCovered(entry);
  const { actorEmail, ip, userAgent } = revealActor(covered, keys) ?? entry;
  const { id, occurredAt, action, entityName, entityId, actorId, actorType, onBehalfOf } = entry;
  const { requestId, route, method, reason } = entry;
  const at = new Date(occurredAt as number).toISOString();
  const changes = revealChanges(covered.changes, keys);
  const who = [actorId, actorType, actorEmail, onBehalfOf];
  return [
    position,
    id,
    at,
    action,
    entityName,
    entityId,
    changes,
    ...who,
    requestId,
    route,
    method,
    ip,
    userAgent,
    reason,
  ];
}
