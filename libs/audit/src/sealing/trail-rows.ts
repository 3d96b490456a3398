import type { EntityClass, EntityProperty } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { AuditEntry } from '../entities/audit-entry.entity.js';
import { AuditSeal } from '../entities/audit-seal.entity.js';
import { ENTRY_FIELDS, type StoredEntry } from './entry-text.js';

/** A place in the sealed trail, with its entry while that is there. */
export interface SealedItem {
  readonly position: number;
  readonly id: string;
  readonly leaf: string;
  readonly entry?: StoredEntry;
}

/** An entry that has no place in the sealed trail yet. */
export interface UnsealedEntry {
  readonly entry: StoredEntry;
  readonly stamp: string | null;
}

/** What of a sealed entry decides whether it may be purged. */
export interface Purgeable {
  readonly position: number;
  readonly id: string;
  readonly entityName: string | null;
  readonly entityId: string | null;
  readonly actorId: string | null;
}

/** Ids in one statement. */
const IDS_AT_ONCE = 500;

type Row = Record<string, unknown>;

const column = (em: SqlEntityManager, entity: EntityClass, property: string) => {
  const meta = em.getMetadata().get(entity);
  return (meta.properties[property as never] as EntityProperty).fieldNames[0] as string;
};

/** The quoted name of a class's table, in the schema that the EntityManager works in. */
function tableOf(em: SqlEntityManager, entity: EntityClass): string {
  return em.getDriver().getTableName(em.getMetadata().get(entity), { schema: em.schema });
}

function entryColumns(em: SqlEntityManager): string {
  return ENTRY_FIELDS.map((field) => `e.${column(em, AuditEntry, field)}`).join(', ');
}

/** Servers give times as text without a zone, which is UTC, or with one; SQLite gives milliseconds. */
function toMilliseconds(read: unknown): number {
  if (typeof read === 'number') return read;
  if (read instanceof Date) return read.getTime();
  const text = String(read);
  return Date.parse(/(?:[zZ]|[+-]\d\d(?::?\d\d)?)$/.test(text) ? text.replace(/([+-]\d\d)$/, '$1:00') : `${text}Z`);
}

/** Reads entries and seals of one tenant as they are stored, past the identity map: they are many, and only hashed. */
export class TrailRows {
  readonly #entryColumns: string;
  readonly #entryNames: readonly (readonly [keyof StoredEntry, string])[];

  constructor(
    private readonly em: SqlEntityManager,
    private readonly tenantId: string,
  ) {
    this.#entryColumns = entryColumns(em);
    this.#entryNames = ENTRY_FIELDS.map((field) => [field, column(em, AuditEntry, field)]);
  }

  /** Places after `after`, up to and with `upTo`, in their order. */
  async sealed(after: number, upTo: number, limit: number): Promise<SealedItem[]> {
    const [seal, entry] = [tableOf(this.em, AuditSeal), tableOf(this.em, AuditEntry)];
    const rows = await this.em.execute<Row[]>(
      `select s.position, s.id as seal_id, s.leaf, ${this.#entryColumns} from ${seal} s ` +
        `left join ${entry} e on e.tenant_id = s.tenant_id and e.id = s.id ` +
        'where s.tenant_id = ? and s.position > ? and s.position <= ? order by s.position limit ?',
      [this.tenantId, after, upTo, limit],
    );
    return rows.map((row) => ({
      position: Number(row.position),
      id: row.seal_id as string,
      leaf: row.leaf as string,
      ...(row.id !== null && { entry: this.#toEntry(row) }),
    }));
  }

  /** Leaves after `after`, up to and with `upTo`. */
  async leaves(after: number, upTo: number, limit: number): Promise<{ position: number; leaf: string }[]> {
    const rows = await this.em.execute<Row[]>(
      `select s.position, s.leaf from ${tableOf(this.em, AuditSeal)} s ` +
        'where s.tenant_id = ? and s.position > ? and s.position <= ? order by s.position limit ?',
      [this.tenantId, after, upTo, limit],
    );
    return rows.map(({ position, leaf }) => ({ position: Number(position), leaf: leaf as string }));
  }

  /** Committed entries without a seal, by id, after an id. */
  async unsealed(after: string, limit: number): Promise<UnsealedEntry[]> {
    const [seal, entry] = [tableOf(this.em, AuditSeal), tableOf(this.em, AuditEntry)];
    const stamp = column(this.em, AuditEntry, 'stamp');
    const rows = await this.em.execute<Row[]>(
      `select ${this.#entryColumns}, e.${stamp} from ${entry} e ` +
        // The bound is said of both sides, so that neither is read from its beginning.
        `left join ${seal} s on s.tenant_id = e.tenant_id and s.id = e.id and s.id > ? ` +
        'where e.tenant_id = ? and e.id > ? and s.id is null order by e.id limit ?',
      [after, this.tenantId, after, limit],
    );
    return rows.map((row) => ({ entry: this.#toEntry(row), stamp: (row[stamp] as string | null) ?? null }));
  }

  /** Sealed entries that are still there, behind a position, with an id below `end`. */
  async purgeable(after: number, end: string, limit: number): Promise<Purgeable[]> {
    const [seal, entry] = [tableOf(this.em, AuditSeal), tableOf(this.em, AuditEntry)];
    const rows = await this.em.execute<Row[]>(
      `select s.position, e.id, e.entity_name, e.entity_id, e.actor_id from ${seal} s ` +
        `join ${entry} e on e.tenant_id = s.tenant_id and e.id = s.id ` +
        'where s.tenant_id = ? and s.position > ? and e.id < ? order by s.position limit ?',
      [this.tenantId, after, end, limit],
    );
    return rows.map((row) => ({
      position: Number(row.position),
      id: row.id as string,
      entityName: row.entity_name as string | null,
      entityId: row.entity_id as string | null,
      actorId: row.actor_id as string | null,
    }));
  }

  /** In a system frame: entries are append-only for everybody else. */
  async deleteEntries(ids: readonly string[]): Promise<void> {
    const entry = tableOf(this.em, AuditEntry);
    for (let start = 0; start < ids.length; start += IDS_AT_ONCE) {
      const part = ids.slice(start, start + IDS_AT_ONCE);
      const marks = part.map(() => '?').join(', ');
      await this.em.execute(`delete from ${entry} where tenant_id = ? and id in (${marks})`, [this.tenantId, ...part]);
    }
  }

  #toEntry(row: Row): StoredEntry {
    const entry: Record<string, string | number | null> = {};
    for (const [field, name] of this.#entryNames) entry[field] = (row[name] as string | null) ?? null;
    entry.occurredAt = toMilliseconds(row.occurred_at);
    return entry as StoredEntry;
  }
}
