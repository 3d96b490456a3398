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

  async countEntries(): Promise<number> {
    return this.#count(AuditEntry);
  }

  async #count(entity: EntityClass): Promise<number> {
    const sql = `select count(*) as n from ${tableOf(this.em, entity)} t where t.tenant_id = ?`;
    const [row] = await this.em.execute<Row[]>(sql, [this.tenantId]);
    return Number(row?.n ?? 0);
  }

  #toEntry(row: Row): StoredEntry {
    const entry: Record<string, string | number | null> = {};
    for (const [field, name] of this.#entryNames) entry[field] = (row[name] as string | null) ?? null;
    entry.occurredAt = toMilliseconds(row.occurred_at);
    return entry as StoredEntry;
  }
}
