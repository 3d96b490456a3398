import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';
import { currentContext } from '#libs/context';
import { CurrentEntityManager, runInSystemFrame } from '#libs/persistence';
import type { AuditEntry } from '../entities/audit-entry.entity.js';
import { WitnessesMissingError } from '../errors/witnesses-missing.error.js';
import { AuditTrail } from '../trail/audit-trail.js';

/** A row that somebody changed without leaving an entry. */
export interface UnrecordedChange {
  /** When its transaction committed, clock of the database. */
  readonly at: Date;
  readonly operation: 'insert' | 'update' | 'delete' | 'truncate';
  readonly table: string;
  /** Classes that the row may be of. */
  readonly entityNames: readonly string[];
  /** Its id within the tenant; `null` for a whole table. */
  readonly entityId: string | null;
  /** As whom the database knew the writer, and what the writer called itself. */
  readonly dbUser: string;
  readonly application: string | null;
  readonly address: string | null;
  /** An entry that accounts for it all the same: of a bulk write, a gap or a pause. */
  readonly explainedBy: string | null;
}

/** Which changes to look at. */
export interface ReconcileQuery {
  /** Not before. */
  readonly from?: Date;
  /** At most so many, the oldest first. Default 1,000. */
  readonly limit?: number;
}

interface Noted extends Omit<UnrecordedChange, 'at' | 'explainedBy'> {
  readonly at: string | Date;
}

const EXPLAINING = ['bulk_create', 'bulk_update', 'bulk_delete', 'audit_gap', 'audit_resumed', 'audit_paused'];

const NOTED = `select at, operation, table_name as "table", array_to_json(entity_names) as "entityNames", entity_id as "entityId",
  db_user as "dbUser", application, host(address) as "address"
  from audit_witness.unrecorded
  where (tenant_id = ?::uuid or (tenant_id is null and schema_name = current_schema())) and at >= ?::timestamptz
  order by at, id limit ?`;

/** Names rows that were changed past the application. PostgreSQL only, where witnesses are installed (`witnessSql`). */
@Injectable()
export class AuditReconciler {
  constructor(
    private readonly entityManager: CurrentEntityManager,
    private readonly trail: AuditTrail,
  ) {}

  /**
   * Changes of the context's tenant that witnesses have noted, oldest first.
   *
   * @throws {WitnessesMissingError} where none are installed: it then cannot be said that there were none
   * @throws {NoTenantInContextError}
   */
  async reconcile({ from = new Date(0), limit = 1000 }: ReconcileQuery = {}): Promise<readonly UnrecordedChange[]> {
    const { id: tenantId } = currentContext().getTenant();
    const em = this.entityManager.get();
    const noted = await this.#read(em, [tenantId, from.toISOString(), limit]);
    const explanations = noted.length > 0 ? await this.#explanations(from) : [];
    return noted.map((change) => {
      const at = new Date(change.at);
      const explanation = explanations.find((it) => it.explains({ ...change, at }));
      return { ...change, at, explainedBy: explanation?.id ?? null };
    });
  }

  /** Past the guard, which knows no table that is no entity's. */
  async #read(em: SqlEntityManager, parameters: unknown[]): Promise<Noted[]> {
    return runInSystemFrame('read what witnesses noted', async () => {
      const isThere = em.getPlatform().constructor.name.startsWith('PostgreSql')
        ? await em.getConnection().execute(`select to_regclass('audit_witness.unrecorded') is not null as "isThere"`)
        : [];
      if (!isThere[0]?.isThere) throw new WitnessesMissingError();
      return em.getConnection().execute<Noted[]>(NOTED, parameters);
    });
  }

  async #explanations(from: Date): Promise<Explanation[]> {
    const found: Explanation[] = [];
    for (const action of EXPLAINING) {
      for (let cursor: string | undefined; ; ) {
        const { entries, nextCursor } = await this.trail.list({ action, from, limit: 100, ...(cursor && { cursor }) });
        found.push(...entries.map((entry) => new Explanation(entry, found)));
        if (nextCursor === null) break;
        cursor = nextCursor;
      }
    }
    return found;
  }
}

/** Clocks of application and database may differ by so much, and a transaction take so long. */
const NEARBY_MS = 60_000;

/** An entry that stands for changes which have none of their own. */
class Explanation {
  readonly id: string;
  readonly #from: number;
  readonly #until: number;
  readonly #keys: ReadonlySet<string> | undefined;
  readonly #entities: ReadonlySet<string> | undefined;

  /** @param others  those found before, among them the ends of pauses */
  constructor(
    private readonly entry: AuditEntry,
    others: readonly Explanation[],
  ) {
    const { id, action, occurredAt } = entry;
    const told = (name: string): unknown => Reflect.get(entry.getChanges()[name] ?? {}, 'new');
    const keys = told('keys');
    const begin = occurredAt.getTime();
    const end =
      action === 'audit_paused' ? others.find((other) => other.#ends(entry))?.entry.occurredAt.getTime() : begin;
    this.id = id;
    this.#from = begin - NEARBY_MS;
    this.#until = (end ?? begin) + NEARBY_MS;
    if (Array.isArray(keys)) this.#keys = new Set(keys as string[]);
    if (action === 'audit_gap') this.#entities = new Set(Object.keys((told('changes') ?? {}) as object));
  }

  explains({ at, entityId, entityNames }: Pick<UnrecordedChange, 'at' | 'entityId' | 'entityNames'>): boolean {
    if (at.getTime() < this.#from || at.getTime() > this.#until) return false;
    if (this.#keys) return entityId !== null && this.#keys.has(entityId);
    if (this.#entities) return entityNames.some((entity) => this.#entities?.has(entity));
    return this.entry.action === 'audit_paused';
  }

  /** A pause begins and ends in one piece of work. */
  #ends({ requestId, id }: AuditEntry): boolean {
    return this.entry.action === 'audit_resumed' && this.entry.requestId === requestId && this.entry.id > id;
  }
}
