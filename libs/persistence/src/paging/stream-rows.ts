import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EntityKey, EntityMetadata, EntityName, FilterQuery, Ref } from '@mikro-orm/core';
import type { QueryBuilder, SqlEntityManager } from '@mikro-orm/sql';
import { currentContext } from '#libs/context';
import { isTenantOwned } from '../bulk/relation-columns.js';
import { engineOf } from '../engines/engines.js';
import { KeptStatement } from '../engines/kept-statement.js';
import type { TenantOwned } from '../entities/tenant-owned.js';
import { type KeysetPosition, keysetAfter, keysetOrder, type SortKey } from './keyset.js';
import { type DriverRow, type RowColumn, readableNames, rowColumnsOf } from './row-columns.js';
import { createRowMapper, createValuesReader } from './row-mapper.js';

/** A property as a row has it: a relation is the key of its target within the tenant, an embedded value a plain object. */
export type RowValue<Value> = Value extends Ref<infer _> | TenantOwned ? string : Value;

/** A plain row of an entity's table: nothing manages it, nothing is flushed from it. Absent values are `null`. */
export type StreamedRow<Entity, Field extends keyof Entity> = {
  readonly [Name in Field]: undefined extends Entity[Name]
    ? RowValue<Exclude<Entity[Name], undefined>> | null
    : RowValue<Entity[Name]>;
};

/** Which rows, what of them, and in which order. */
export interface StreamRowsOptions<Entity, Field> {
  /** Default: all that the context may read. */
  readonly where?: FilterQuery<Entity>;
  /** Top-level properties; embedded ones come whole. Default: all that a plain read of the class loads. */
  readonly fields?: readonly Field[];
  /** By properties that are never null; the primary key is added as the last one. Default: the primary key alone. */
  readonly orderBy?: readonly SortKey[];
  /** As in `em.find`. */
  readonly filters?: Parameters<SqlEntityManager['applyFilters']>[2];
  /** Rows read by one statement; at most two such chunks are in memory. Default 1 000, on sqlite 400. */
  readonly chunkSize?: number;
}

/**
 * Reads any number of rows with the memory of two chunks: plain rows, a tenth of the cost of entities. Keyset pages below,
 * so that no connection is held while the caller works, and a page costs the same wherever it lies. While the caller works
 * on one chunk the next is read, outside of transactions. Filters, the guard and the tenant of the context apply to each
 * statement as in `em.find`, and changes that wait in `em` are flushed first.
 *
 * Each chunk sees what is committed when it is read. Where all rows must be of one moment, call it inside of
 * `transactional(…, { isolation: 'repeatable read' })`.
 *
 * @throws {NoTenantInContextError} when rows of the class belong to a tenant and the context names none
 * @example
 * for await (const { sku, price } of streamRows(em, Product, { fields: ['sku', 'price'] })) csv.write([sku, price.amount]);
 */
export async function* streamRows<Entity extends object, const Field extends EntityKey<Entity> = EntityKey<Entity>>(
  em: SqlEntityManager,
  entity: EntityName<Entity>,
  options: StreamRowsOptions<Entity, Field> = {},
): AsyncGenerator<StreamedRow<Entity, Field & keyof Entity>, void, undefined> {
  await em.tryFlush(entity, {});
  const pages = new RowPages(
    em,
    em.getMetadata().get(entity) as EntityMetadata,
    options as StreamRowsOptions<object, string>,
  );
  // A transaction has one connection, which is the caller's between two rows.
  const isReadAhead = !em.isInTransaction();
  let ahead: Promise<readonly DriverRow[]> | undefined;
  try {
    for (let page = await pages.next(); page.length > 0; page = await (ahead ?? pages.next())) {
      ahead = undefined;
      let isFirst = true;
      // One `yield` a row; `yield*` would wait twice for each.
      for (const row of page) {
        // Whoever takes only one has not asked for more.
        if (!isFirst && isReadAhead && !ahead) {
          ahead = quietly(pages.next());
          // Drivers send in the next turn, which a caller who never waits for anything would put off until the page is over.
          await nextTurn();
        }
        isFirst = false;
        yield pages.toRow(row) as StreamedRow<Entity, Field & keyof Entity>;
      }
    }
  } finally {
    // Nothing runs on after the end, and no connection is held.
    await ahead?.catch(() => {});
  }
}

/** It may fail before anybody waits for it; whoever does is told. */
function quietly<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {});
  return work;
}

/** The pages of one stream, one after the other. */
class RowPages {
  readonly #columns: readonly RowColumn[];
  readonly #sort: readonly SortKey[];
  readonly #sortColumns: readonly RowColumn[];
  readonly #size: number;
  readonly #tenant: { tenantId?: string };
  #position: KeysetPosition | undefined;
  #isOver = false;
  #map: ((row: DriverRow) => object) | undefined;
  #positionOf: ((row: DriverRow) => unknown[]) | undefined;
  /** The statement of every page behind the first. `null`: built anew for each. */
  #kept: KeptStatement | null | undefined;

  constructor(
    private readonly em: SqlEntityManager,
    private readonly meta: EntityMetadata,
    private readonly options: StreamRowsOptions<object, string>,
  ) {
    const { fields = readableNames(meta), orderBy = [], chunkSize = engineOf(em).streamedRows } = options;
    if (!Number.isSafeInteger(chunkSize) || chunkSize < 1) throw new RangeError('chunkSize must be 1 or more.');
    this.#size = chunkSize;
    this.#tenant = isTenantOwned(meta) ? { tenantId: currentContext().getTenant().id } : {};
    this.#sort = withPrimaryKey(meta, orderBy);
    this.#columns = rowColumnsOf(em, meta, fields);
    this.#sortColumns = rowColumnsOf(
      em,
      meta,
      this.#sort.map(({ path }) => path),
    );
  }

  /** The next rows as the driver gives them; none when there are no more. */
  async next(): Promise<readonly DriverRow[]> {
    if (this.#isOver) return [];
    const read = await this.#read();
    this.#isOver = read.length < this.#size;
    const last = read.at(-1);
    if (!last) return [];
    this.#map ??= createRowMapper(this.#columns, last);
    this.#positionOf ??= createValuesReader(this.#sortColumns, last);
    this.#position = this.#positionOf(last) as unknown as KeysetPosition;
    return read;
  }

  /** Called for each row when its turn comes, so that what is made dies young: of a whole chunk at once it would not. */
  toRow(row: DriverRow): object {
    return (this.#map as (row: DriverRow) => object)(row);
  }

  async #read(): Promise<DriverRow[]> {
    const position = this.#position;
    if (!position) return (await this.#queryAfter()).execute<DriverRow[]>('all', false);
    if (this.#kept === undefined) this.#kept = (await this.#keep(position)) ?? null;
    if (!this.#kept) return (await this.#queryAfter(position)).execute<DriverRow[]>('all', false);
    const values = Object.fromEntries(position.map((value, index) => [index, value]));
    return (await this.#kept.read(this.em, values)) as DriverRow[];
  }

  async #queryAfter(position?: KeysetPosition): Promise<QueryBuilder<object>> {
    const { em, meta, options } = this;
    const filtered = (await em.applyFilters(meta.class, {}, options.filters ?? {}, 'read')) ?? {};
    const after = position ? keysetAfter(this.#sort, position) : {};
    const conditions = [this.#tenant, options.where ?? {}, filtered, after];
    const selected = new Set([...this.#columns, ...this.#sortColumns].map(({ property }) => property));
    return em
      .createQueryBuilder(meta.class, 'e')
      .select([...selected] as never)
      .where({ $and: conditions.filter((it) => Reflect.ownKeys(it as object).length > 0) } as never)
      .orderBy(keysetOrder(this.#sort) as never)
      .limit(this.#size) as unknown as QueryBuilder<object>;
  }

  /**
   * MikroORM takes as long to build a page's statement as to read 500 rows, and with values in its text the database and the
   * guard read it anew. Values that are converted on their way, and conditions that are not plain, are left to MikroORM.
   */
  async #keep(position: KeysetPosition): Promise<KeptStatement | undefined> {
    const { em, options } = this;
    const isPlain =
      em.getSessionContext() === undefined &&
      position.every(isBindable) &&
      this.#sortColumns.every(({ convert }) => !convert) &&
      isPlainCondition(options.where ?? {});
    if (!isPlain) return undefined;
    const suffix = randomUUID();
    const markers = position.map((_, index) => `:${index}:${suffix}`);
    const query = await this.#queryAfter(markers);
    const names = new Map(markers.map((marker, index): [string, string] => [marker, String(index)]));
    const kept = KeptStatement.of(query, names, em.getDriver(), engineOf(em));
    return kept?.constants.every(isBindable) ? kept : undefined;
  }
}

/** Text and integers only: what else there is, drivers want each in a way of its own. */
function isBindable(value: unknown): boolean {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

/** Whether a condition is made of names and values alone. Fragments of SQL may be used once, and say nothing about their types. */
function isPlainCondition(condition: unknown): boolean {
  if (typeof condition !== 'object' || condition === null) return true;
  if (Array.isArray(condition)) return condition.every(isPlainCondition);
  return (
    Object.getPrototypeOf(condition) === Object.prototype &&
    Object.getOwnPropertySymbols(condition).length === 0 &&
    Object.values(condition).every(isPlainCondition)
  );
}

/** The tenant is the same for all rows, and needs no place in the order. */
function withPrimaryKey(meta: EntityMetadata, orderBy: readonly SortKey[]): SortKey[] {
  const isSorted = (name: string) => orderBy.some(({ path }) => path === name);
  const isShared = (name: string) => name === 'tenantId' && isTenantOwned(meta);
  const keys = (meta.primaryKeys as string[]).filter((name) => !isSorted(name) && !isShared(name));
  return [...orderBy, ...keys.map((path) => ({ path, direction: 'asc' as const }))];
}
