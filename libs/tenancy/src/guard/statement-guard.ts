import type { MetadataStorage } from '@mikro-orm/core';
import { type ContextTenant, currentContext, findContext } from '#libs/context';
import {
  type AnnouncedWay,
  AppendOnlyError,
  type EngineName,
  findAnnouncedWay,
  findSystemFrame,
  UnannouncedWriteError,
  type WriteRule,
} from '#libs/persistence';
import { type Crossing, findCrossing } from '../across/crossing.js';
import { StatementRefusedError } from './errors/statement-refused.error.js';
import { type Analysis, findUnbound, type Slot, type Write } from './sql/analysis.js';
import { analysesOf, type StatementAnalyses } from './statement-analyses.js';

/** What an application may tell the second layer of the guard. */
export interface StatementGuardOptions {
  /** SQL functions beyond the built-in list, in lower case. Each must compute from its arguments alone. */
  readonly functions?: readonly string[];
  /**
   * The only tenant whose rows the database holds, for the strategy `database`: nobody else's statements reach it, not
   * even those that name their own tenant. Default: any.
   */
  readonly tenantId?: string;
  /**
   * Whether a tenant's rows lie in this database, where several tenants' do: a tenant whose rows lie elsewhere would find
   * nothing here, and lose what it writes. Default: every tenant's do.
   */
  readonly holds?: (tenant: ContextTenant) => boolean;
  /**
   * The schema (on MySQL: the database) that holds a tenant's tables, for the strategy `schema`. Every table must be named
   * with it, and with no other one. Default: a statement may name none but those that entities fix.
   */
  readonly schemaOf?: (tenant: ContextTenant) => string | undefined;
}

/** What the guard asks of the ORM it stands before, at the first statement: entities are not discovered before that. */
export interface GuardedOrm {
  getMetadata(): MetadataStorage;
  /** What writing to a table asks for. Asked for each write: analyses are shared by databases, rules need not be. */
  findWriteRule?(table: string): WriteRule | undefined;
}

/** A statement that MikroORM has made, read before the values were written into it, and not yet sent. */
interface Prepared {
  readonly sql: string;
  readonly tenantId: string | undefined;
  readonly way: AnnouncedWay | undefined;
}

/** Statements in flight at once; more than any pool has connections. Forgetting one only means reading it again. */
const MAX_PREPARED = 256;

/**
 * Second layer of the guard: looks at every statement before it is sent, whoever made it, and lets it through only when
 * all rows it can reach belong to the tenant of the context. Reading a text costs microseconds once; from then on it is a
 * look into a map.
 */
export class StatementGuard {
  readonly #options: StatementGuardOptions;
  readonly #prepared: Prepared[] = [];
  #analyses: StatementAnalyses | undefined;

  constructor(
    private readonly engine: EngineName,
    private readonly orm: GuardedOrm,
    options: StatementGuardOptions = {},
  ) {
    this.#options = options;
  }

  /**
   * Lets a statement through on its way to the database, or throws.
   *
   * @returns the work across tenants it belongs to, which is to be shown the rows it gives
   * @throws {StatementRefusedError}
   * @throws {UnannouncedWriteError} when it changes rows whose changes belong on record, and nobody announces them
   * @throws {AppendOnlyError}
   * @throws {NoTenantInContextError} when it reaches data and the context names no tenant
   */
  admit(sql: string, parameters: readonly unknown[]): Crossing | undefined {
    if (findSystemFrame() !== undefined) return undefined;
    const crossing = findCrossing();
    if (crossing) return this.#admitAcross(sql, crossing);
    if (this.#prepared.length > 0 && this.#takePrepared(sql)) return undefined;
    this.#verify(this.#getAnalyses().ofNative(sql), parameters);
    return undefined;
  }

  /**
   * Looks at a statement of MikroORM while its values still stand beside it, so that one text stands for all values. It
   * is let through once when it arrives at the connection as `formatted`.
   *
   * @throws as `admit`
   */
  prepare(sql: string, parameters: readonly unknown[], formatted: string): void {
    if (findSystemFrame() !== undefined || parameters.length === 0 || !parameters.every(isPlainValue)) return;
    // Across tenants a statement is let through as such, and never left behind for somebody else to send.
    if (findCrossing()) return;
    const analysis = this.#getAnalyses().ofUnformatted(sql);
    // Left to `admit`, which reads the text with its values in it.
    if (!analysis) return;
    const tenantId = this.#verify(analysis, parameters);
    if (this.#prepared.length >= MAX_PREPARED) this.#prepared.shift();
    this.#prepared.push({ sql: formatted, tenantId, way: findAnnouncedWay() });
  }

  /** Read like any other, so that no unknown table or function is reached; only whose rows they are is not asked. */
  #admitAcross(sql: string, crossing: Crossing): Crossing | undefined {
    const analysis = this.#getAnalyses().ofAcross(sql);
    if (analysis.refusal !== undefined) throw new StatementRefusedError(analysis.refusal);
    if (!analysis.reachesData) return undefined;
    this.#assertAnnounced(analysis.writes);
    crossing.admit(sql, analysis.blocks.length, analysis.tellsTenant ?? false);
    return crossing;
  }

  #takePrepared(sql: string): boolean {
    const way = findAnnouncedWay();
    const at = this.#prepared.findLastIndex((prepared) => prepared.sql === sql && prepared.way === way);
    const [prepared] = at < 0 ? [] : this.#prepared.splice(at, 1);
    return (
      prepared !== undefined && (prepared.tenantId === undefined || prepared.tenantId === findContext()?.tenant?.id)
    );
  }

  #getAnalyses(): StatementAnalyses {
    this.#analyses ??= analysesOf(this.orm.getMetadata(), this.engine, this.#options.functions);
    return this.#analyses;
  }

  /** @returns the tenant it was let through for; `undefined` when it needs none */
  #verify(analysis: Analysis, parameters: readonly unknown[]): string | undefined {
    if (analysis.refusal !== undefined) throw new StatementRefusedError(analysis.refusal);
    if (!analysis.reachesData) return undefined;
    const tenant = currentContext().getTenant();
    const tenantId = tenant.id;
    this.#assertPlace(analysis, tenant);
    const holds = (slot: Slot) => isTenant(slot, tenantId, parameters);
    if (!analysis.everySlot.every(holds)) assertBound(analysis, holds);
    this.#assertAnnounced(analysis.writes);
    return tenantId;
  }

  /** Rows that somebody keeps a record of are changed by what tells of every row, and a record by nothing at all. */
  #assertAnnounced(writes: readonly Write[]): void {
    if (writes.length === 0) return;
    const way = findAnnouncedWay();
    for (const { table, adds } of writes) {
      const rule = this.orm.findWriteRule?.(table);
      if (rule === 'append-only' && !(way === 'append' && adds)) throw new AppendOnlyError(table);
      if (rule === 'announced' && way !== 'flush' && way !== 'bulk') throw new UnannouncedWriteError(table);
    }
  }

  /** Whether the tables it names are those of the place where the tenant's rows lie. */
  #assertPlace({ schemas, bare }: Analysis, tenant: ContextTenant): void {
    const { tenantId = tenant.id, holds, schemaOf } = this.#options;
    if (tenantId !== tenant.id || holds?.(tenant) === false) {
      throw new StatementRefusedError(
        "this database does not hold the tenant's rows; ask CurrentEntityManager for them",
      );
    }
    const own = schemaOf?.(tenant);
    for (const schema of schemas) {
      if (schema !== own) throw new StatementRefusedError(`"${schema}" is not where this tenant's tables are`);
    }
    // Without a schema they would be those of the connection, which are other tenants'.
    const [table] = schemaOf ? bare : [];
    if (table !== undefined) {
      const name = own ?? 'schema';
      throw new StatementRefusedError(
        `"${table}" has no schema in front: write ${name}.${table}, or use em.getKysely(), which adds it`,
      );
    }
  }
}

/** A condition may name two tenants at once and find nothing; what counts is whether the own one binds every table. */
function assertBound({ required, blocks }: Analysis, holds: (slot: Slot) => boolean): void {
  if (!required.every(holds)) {
    throw new StatementRefusedError(
      "a row it writes would belong to another tenant; the tenant's id is that of the context",
    );
  }
  for (const block of blocks) {
    const [unbound] = findUnbound(block, holds);
    if (unbound)
      throw new StatementRefusedError(`it asks for rows of "${unbound.alias}" that belong to another tenant`);
  }
}

function isTenant(slot: Slot, tenantId: string, parameters: readonly unknown[]): boolean {
  if ('literal' in slot) return slot.literal === tenantId;
  if ('parameter' in slot) return parameters[slot.parameter] === tenantId;
  const list = parameters[slot.elementsOf];
  return Array.isArray(list) && list.every((element) => element === tenantId);
}

/** Whether MikroORM writes the value as one literal. Lists become several, fragments and some objects become SQL. */
function isPlainValue(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return value !== undefined && typeof value !== 'function';
  return value instanceof Date || Buffer.isBuffer(value) || Object.getPrototypeOf(value) === Object.prototype;
}
