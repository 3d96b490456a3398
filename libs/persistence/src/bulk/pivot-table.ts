import type { EntityClass, EntityMetadata, EntityProperty, Transaction } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { CompiledQuery, type Kysely } from 'kysely';
import type { BoundValues, BulkColumn, BulkDialect } from '../engines/bulk-dialect.js';
import { BulkWriteLostError } from '../errors/bulk-write-lost.error.js';
import { runAnnounced } from '../events/announced-write.js';
import { layoutOf } from './entity-layout.js';
import { tableOf } from './table-sql.js';

/** Where links are written: the transaction of the work they belong to, such as a `TransactionScope`. */
export interface LinkTarget {
  readonly entityManager: SqlEntityManager;
  readonly transaction: Transaction;
}

/** One row of a pivot table: the primary keys of both sides by property, `{ tenantId, id }`. */
export interface LinkKeys {
  readonly owner: Readonly<Record<string, unknown>>;
  readonly item: Readonly<Record<string, unknown>>;
}

/** A column of a pivot table, and where its value stands in a link. Both sides may share it, as they share the tenant. */
interface PivotColumn extends BulkColumn {
  readonly side: 'owner' | 'item';
  readonly key: string;
}

/** Rows in one statement. */
const ROWS_AT_ONCE = 1000;

/**
 * The pivot table of a many-to-many collection, written and read by rows: no collection is loaded, no entity is made and
 * no change is announced. For links that follow from something that is on record itself; a collection that people change
 * is changed in the unit of work.
 */
export class PivotTable {
  readonly #table: string;
  readonly #columns: readonly PivotColumn[];
  readonly #dialect: BulkDialect;

  /** @param property  of the side that owns the pivot table */
  constructor(
    private readonly target: LinkTarget,
    entity: EntityClass<object>,
    property: string,
  ) {
    const { entityManager } = target;
    const metadata = entityManager.getMetadata();
    const meta = metadata.get(entity);
    const prop = meta.properties[property as never] as EntityProperty;
    const { targetMeta = meta, pivotEntity } = prop;
    this.#table = tableOf(entityManager, metadata.get(pivotEntity));
    this.#dialect = layoutOf(entityManager, targetMeta).dialect;
    const columns = new Map<string, PivotColumn>();
    for (const [side, of, names] of [
      ['owner', meta, prop.joinColumns],
      ['item', targetMeta, prop.inverseJoinColumns],
    ] as const) {
      for (const column of columnsOf(entityManager, side, of, names)) {
        if (!columns.has(column.name)) columns.set(column.name, column);
      }
    }
    this.#columns = [...columns.values()];
  }

  /** @throws {DriverException} when a link is there already, or one of its ends is not */
  async add(links: readonly LinkKeys[]): Promise<void> {
    if (links.length === 0) return;
    const values = this.#columns.map((column) => links.map((link) => link[column.side][column.key]));
    const rows = { table: this.#table, columns: this.#columns, values, count: links.length };
    for (const { sql, parameters, affects } of this.#dialect.insert(rows)) {
      const { affected } = await this.#send(sql, parameters);
      if (affected !== affects) throw new BulkWriteLostError(this.#table, affects, affected);
    }
  }

  /** Links that are not there are no error. */
  async remove(links: readonly LinkKeys[]): Promise<void> {
    for (const [condition, { parameters }] of this.#conditions(links, this.#columns)) {
      await this.#send(`delete from ${this.#table} where ${condition}`, parameters);
    }
  }

  /** The links of some owners. */
  async of(owners: readonly LinkKeys['owner'][]): Promise<LinkKeys[]> {
    const links = owners.map((owner) => ({ owner, item: {} }));
    const columns = this.#columns.map(({ name }, c) => `${name} as c${c}`).join(', ');
    const found: LinkKeys[] = [];
    const own = this.#columns.filter(({ side }) => side === 'owner');
    for (const [condition, { parameters }] of this.#conditions(links, own)) {
      const { rows } = await this.#send(`select ${columns} from ${this.#table} where ${condition}`, parameters);
      found.push(...rows.map((row) => this.#toLink(row)));
    }
    return found;
  }

  #toLink(row: Record<string, unknown>): LinkKeys {
    const link = { owner: {}, item: {} } as Record<PivotColumn['side'], Record<string, unknown>>;
    for (const [c, { side, key }] of this.#columns.entries()) link[side][key] = row[`c${c}`];
    // What both sides share stands on the owner's.
    return { owner: link.owner, item: { ...link.owner, ...link.item } };
  }

  /** Conditions that name the links together. What is the same in all of them, as the tenant is, stands alone. */
  *#conditions(links: readonly LinkKeys[], columns: readonly PivotColumn[]): Iterable<[string, BoundValues]> {
    for (let from = 0; from < links.length; from += ROWS_AT_ONCE) {
      const part = links.slice(from, from + ROWS_AT_ONCE);
      const bound = this.#dialect.bindValues();
      const values = columns.map(({ side, key }) => part.map((link) => link[side][key]));
      const varies = values.map((column) => column.some((value) => value !== column[0]));
      const equal = columns.flatMap(({ name }, c) => (varies[c] ? [] : [`${name} = ${bound.bind(values[c]?.[0])}`]));
      const others = columns.filter((_, c) => varies[c]);
      const names = others.map(({ name }) => name);
      const keys = values.filter((_, c) => varies[c]);
      const list = others.length === 0 ? [] : [this.#dialect.isOneOf(names, others, keys, bound)];
      yield [[...equal, ...list].join(' and '), bound];
    }
  }

  async #send(sql: string, parameters: readonly unknown[]) {
    const query = CompiledQuery.raw(sql, [...parameters]);
    const transaction = this.target.transaction as Kysely<unknown>;
    const sent = runAnnounced('bulk', () => transaction.executeQuery<Record<string, unknown>>(query));
    const { rows, numAffectedRows } = await sent.catch((error: Error) => {
      throw this.target.entityManager.getDriver().convertException(error);
    });
    return { rows, affected: Number(numAffectedRows ?? 0) };
  }
}

/** The columns that hold the key of one side, under the names they have in the pivot table. */
function columnsOf(
  em: SqlEntityManager,
  side: PivotColumn['side'],
  meta: EntityMetadata,
  names: readonly string[],
): PivotColumn[] {
  const { columns, keys } = layoutOf(em, meta);
  return keys.map((place, k) => {
    const { kind, sqlType, property } = columns[place] as (typeof columns)[number];
    return { name: em.getPlatform().quoteIdentifier(names[k] as string), kind, sqlType, side, key: property };
  });
}
