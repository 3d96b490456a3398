import type { EntityMetadata } from '@mikro-orm/core';
import { LockMode } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { BulkOptions, BulkSelection, RowSource } from './bulk.options.js';
import type { EntityLayout } from './entity-layout.js';
import type { SourceRow } from './mapped-column.js';

const PAGE_ROWS = 1000;

/** A key as people write it (its last part alone, an array, an object) as a row that mentions nothing else. */
function toKeyRow(meta: EntityMetadata, key: unknown): SourceRow {
  const names = meta.primaryKeys as string[];
  if (Array.isArray(key)) return Object.fromEntries(names.map((name, k) => [name, key[k]]));
  if (typeof key === 'object' && key !== null)
    return Object.fromEntries(names.map((name) => [name, Reflect.get(key, name)]));
  return { [names.at(-1) ?? '']: key };
}

async function* eachKeyRow(meta: EntityMetadata, keys: Iterable<unknown> | AsyncIterable<unknown>) {
  for await (const key of keys) yield toKeyRow(meta, key);
}

/** `{ tenantId, id: { $in } }` where keys differ in one part alone, as they do within a tenant. */
function conditionOf(names: readonly string[], keys: readonly SourceRow[]): object {
  const varying = names.filter((name) => keys.some((key) => key[name] !== keys[0]?.[name]));
  if (varying.length > 1) return { $or: keys };
  const [name = names.at(-1) ?? ''] = varying;
  return { ...keys[0], [name]: { $in: keys.map((key) => key[name]) } };
}

/** `a > x or (a = x and b > y)`. */
function after(names: readonly string[], last: SourceRow): object {
  const alternatives = names.map((name, n) => ({
    ...Object.fromEntries(names.slice(0, n).map((equal) => [equal, last[equal]])),
    [name]: { $gt: last[name] },
  }));
  return { $or: alternatives };
}

function isEmpty(condition: object): boolean {
  return Object.keys(condition).length === 0 && Object.getOwnPropertySymbols(condition).length === 0;
}

/** Which rows a bulk update or delete is about. */
export class KeySelection {
  readonly #names: readonly string[];

  constructor(
    private readonly layout: EntityLayout,
    private readonly selection: BulkSelection<object>,
    /** Tenant of the context, where rows belong to tenants. */
    private readonly tenantId: string,
  ) {
    this.#names = layout.meta.primaryKeys as string[];
  }

  /** Whether rows are chosen by what they hold, which may change before they are locked. */
  get isConditional(): boolean {
    return 'where' in this.selection;
  }

  /** Their keys, as rows that mention nothing else. */
  source(em: SqlEntityManager, { batchSize = PAGE_ROWS }: BulkOptions): RowSource<SourceRow> {
    const { selection, layout } = this;
    if ('where' in selection) return this.#pages(em, batchSize);
    const { keys } = selection as { keys: RowSource<unknown> };
    return Array.isArray(keys) ? keys.map((key) => toKeyRow(layout.meta, key)) : eachKeyRow(layout.meta, keys);
  }

  /** Which of some rows, locked by now, are still meant; as keys by property. */
  async findMatching(em: SqlEntityManager, keys: readonly SourceRow[]): Promise<SourceRow[]> {
    const query = await this.#query(em, conditionOf(this.#names, keys));
    // Where a transaction goes on reading what it saw first, only a locking read sees the row as it is.
    if (this.layout.dialect.locksOuterJoins) query.setLockMode(LockMode.PESSIMISTIC_WRITE);
    return (await query.execute('all')) as SourceRow[];
  }

  /** In the order of the key, so that what becomes of a page's rows cannot bring them up again. */
  async *#pages(em: SqlEntityManager, pageSize: number): AsyncIterable<SourceRow> {
    for (let last: SourceRow | undefined; ; ) {
      const query = await this.#query(em, last ? after(this.#names, last) : {});
      const page = (await query.limit(pageSize).execute('all')) as SourceRow[];
      yield* page;
      last = page.at(-1);
      if (page.length < pageSize) return;
    }
  }

  /** Filters apply as in `em.find`, and rows that belong to tenants are never looked for without the tenant. */
  async #query(em: SqlEntityManager, more: object) {
    const { meta, tenants } = this.layout;
    const { where, filters = {} } = this.selection as { where: object; filters?: never };
    const own = tenants.length > 0 && 'tenantId' in meta.properties ? { tenantId: this.tenantId } : {};
    const filtered = (await em.applyFilters(meta.class, {}, filters, 'update')) ?? {};
    const conditions = [own, where, filtered, more].filter((condition) => !isEmpty(condition));
    return em
      .createQueryBuilder(meta.class, 'e')
      .select(this.#names as never)
      .where({ $and: conditions } as never)
      .orderBy(this.#names.map((name) => ({ [name]: 'asc' })) as never);
  }
}
