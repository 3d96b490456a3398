import { createHash } from 'node:crypto';
import type { EntityMetadata } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { BulkColumn } from '../engines/bulk-dialect.js';
import { layoutOf } from './entity-layout.js';
import type { MappedColumn } from './mapped-column.js';
import { send, sendAll, tableOf } from './table-sql.js';

/** Rows of one table by column, in the form in which every engine gives and takes them. */
export interface StoredPage {
  readonly values: readonly (readonly unknown[])[];
  readonly count: number;
}

/**
 * The rows of one table as they are stored: for copies from one database to another, of whatever engine. No entity is made,
 * no change is announced and no initial value is filled in. Call it in a system frame.
 */
export class StoredTable {
  /** Quoted, in the schema that the EntityManager works in. */
  readonly name: string;
  /** Names of its columns, in the order of `StoredPage.values`; the key's first. */
  readonly columns: readonly string[];
  readonly #columns: readonly MappedColumn[];
  readonly #keys: number;

  /** @param meta  the class whose own table it is: the root of a single-table hierarchy, any class of a class-table one */
  constructor(
    private readonly em: SqlEntityManager,
    private readonly meta: EntityMetadata,
  ) {
    const { columns, tables } = layoutOf(em, meta);
    const places = tables.at(-1)?.columns ?? [];
    this.#columns = places.map((place) => columns[place] as MappedColumn);
    this.#keys = this.#columns.filter(({ role }) => role === 'key' || role === 'tenant').length;
    this.columns = this.#columns.map(({ name }) => name);
    this.name = tableOf(em, meta);
  }

  /**
   * The rows of a tenant that come next in the order of the key.
   * @param tenantColumn  quoted; one of the key's
   * @param last  what the last call gave; the first ones without
   */
  async read(tenantColumn: string, tenantId: string, rows: number, last?: StoredPage): Promise<StoredPage> {
    const { dialect } = layoutOf(this.em, this.meta);
    const bound = dialect.bindValues();
    const keys = this.#columns.slice(0, this.#keys).filter(({ name }) => name !== tenantColumn);
    const names = keys.map(({ name }) => name).join(', ');
    let condition = `${tenantColumn} = ${bound.bind(tenantId)}`;
    if (last && keys.length > 0) {
      const end = keys.map((key) => {
        const value = last.values[this.#columns.indexOf(key)]?.[last.count - 1];
        return bound.bind(dialect.toBound(key)?.(value) ?? value);
      });
      condition += ` and (${names}) > (${end.join(', ')})`;
    } else if (last) return { values: [], count: 0 };
    const read = this.#columns.map(({ name, readSql }, c) => `${readSql(name)} as c${c}`).join(', ');
    const order = names === '' ? '' : ` order by ${names}`;
    const sql = `select ${read} from ${this.name} where ${condition}${order} limit ${rows}`;
    const found = (await send(this.em, sql, bound.parameters)).rows;
    const values = this.#columns.map(({ type }, c) =>
      found.map((row) => {
        const value = row[`c${c}`];
        return value === null || value === undefined ? null : type.fromRead(value);
      }),
    );
    return { values, count: found.length };
  }

  /** How many rows a tenant has, as the database counts them: whether `read` has passed by any shows only here. */
  async count(tenantColumn: string, tenantId: string): Promise<number> {
    const bound = layoutOf(this.em, this.meta).dialect.bindValues();
    const sql = `select count(*) as c from ${this.name} where ${tenantColumn} = ${bound.bind(tenantId)}`;
    return Number((await send(this.em, sql, bound.parameters)).rows[0]?.c);
  }

  /**
   * Writes rows that were read elsewhere, on the transaction of `em`.
   * @param except  columns that are left null for now
   */
  async insert(em: SqlEntityManager, { values, count }: StoredPage, except: ReadonlySet<string>): Promise<void> {
    if (count === 0) return;
    const { dialect } = layoutOf(em, this.meta);
    const places = this.#columns.flatMap(({ name }, c) => (except.has(name) ? [] : [c]));
    const columns = places.map((place) => this.#columns[place] as BulkColumn);
    const own = places.map((place) => values[place] as readonly unknown[]);
    await sendAll(em, this.name, dialect.insert({ table: this.name, columns, values: own, count }));
  }

  /** Fills in what `insert` has left null, on the transaction of `em`. */
  async complete(em: SqlEntityManager, { values }: StoredPage, except: ReadonlySet<string>): Promise<void> {
    const late = this.#columns.flatMap(({ name }, c) => (except.has(name) ? [c] : []));
    const rows = (values[0] ?? []).flatMap((_, r) => (late.some((c) => values[c]?.[r] !== null) ? [r] : []));
    if (rows.length === 0) return;
    const { dialect } = layoutOf(em, this.meta);
    const keys = this.#columns.map((_, c) => c).slice(0, this.#keys);
    const sets = late.filter((c) => !keys.includes(c));
    const rest = this.#columns.flatMap((_, c) => (keys.includes(c) || sets.includes(c) ? [] : [c]));
    const order = [...keys, ...sets, ...rest];
    const columns = order.map((c) => this.#columns[c] as BulkColumn);
    const own = order.map((c) => rows.map((r) => values[c]?.[r]));
    const changed = { table: this.name, columns, values: own, count: rows.length };
    await sendAll(em, this.name, dialect.update(changed, keys.length, sets.length));
  }

  /** A number that any change of any row changes, and their order does not: numbers of pages add up to that of all. */
  digest({ values, count }: StoredPage): bigint {
    let sum = 0n;
    for (let r = 0; r < count; r++) {
      const row = this.#columns.map((column, c) => canonical(column, values[c]?.[r]));
      sum += BigInt(`0x${createHash('sha256').update(JSON.stringify(row)).digest('hex')}`);
    }
    return sum;
  }
}

/** Engines give the same decimal with more or fewer zeros, and the keys of JSON in an order of their own. */
function canonical({ kind }: BulkColumn, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (kind === 'json') return sorted(JSON.parse(value as string));
  if (kind === 'decimal') return withoutZeros(String(value));
  return typeof value === 'bigint' ? String(value) : value;
}

function withoutZeros(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, it]) => [name, sorted(it)]),
  );
}
