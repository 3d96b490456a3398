import { ALIAS_REPLACEMENT, isRaw, type RawQueryFragment } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { BulkUnsupportedError } from '../errors/bulk-unsupported.error.js';
import { BulkWriteLostError } from '../errors/bulk-write-lost.error.js';
import { announceChanges, areChangesWanted } from '../events/announce-changes.js';
import { updates } from './changes.js';
import type { RowsOfClass } from './concrete-classes.js';
import { type EntityLayout, layoutOf, type TableLayout } from './entity-layout.js';
import { type ExistingRows, readExisting, whereKeys } from './existing-rows.js';
import type { MappedColumn, SourceRow } from './mapped-column.js';
import { compareRows, diffRows } from './row-diff.js';
import { RowReader } from './row-reader.js';
import { send, tableOf } from './table-sql.js';
import { updateRows } from './table-writer.js';

interface Counts {
  readonly updated: number;
  readonly unchanged: number;
}

/** The same changes for every row: values, and expressions that the database works out. */
export class UniformUpdate {
  readonly #values: SourceRow;
  readonly #expressions: ReadonlyMap<string, RawQueryFragment>;

  /** @throws {BulkUnsupportedError} when `set` names what cannot be set, {InvalidRowError} when a value is of a wrong type */
  constructor(
    em: SqlEntityManager,
    private readonly layout: EntityLayout,
    set: SourceRow,
  ) {
    const entries = Object.entries(set).filter(([, value]) => value !== undefined);
    this.#values = Object.fromEntries(entries.filter(([, value]) => !isRaw(value)));
    this.#expressions = new Map(entries.filter(([, value]) => isRaw(value)) as [string, RawQueryFragment][]);
    for (const name of this.#expressions.keys()) this.#assertOneColumn(name);
    for (const [name] of entries) this.#assertSettable(name);
    const [fault] = new RowReader(layout, em).read([this.#values], 0).faults;
    if (fault) throw fault;
  }

  async apply(em: SqlEntityManager, { meta, keys }: RowsOfClass): Promise<Counts> {
    const layout = layoutOf(em, meta);
    const existing = await readExisting(em, layout, layout.keys, keys);
    if (existing.count === 0) return { updated: 0, unchanged: 0 };
    return this.#expressions.size > 0
      ? this.#applyExpressions(em, layout, existing)
      : this.#applyValues(em, layout, existing);
  }

  async #applyValues(em: SqlEntityManager, layout: EntityLayout, existing: ExistingRows): Promise<Counts> {
    const all = Array.from({ length: existing.count }, (_, r) => r);
    const { values } = new RowReader(layout, em).read([this.#values], 0).set;
    const set = {
      rows: all.map(() => this.#values),
      indexes: all,
      values: values.map(([value]) => all.map(() => value)),
    };
    const matches = all.map((r) => ({ given: r, existing: r }));
    const { old, rows } = diffRows(em, layout, set, existing, matches);
    await updateRows(em, layout, rows);
    if (rows.count > 0 && areChangesWanted(em, layout.meta.class))
      await announceChanges(em, updates(layout, old, rows));
    return { updated: rows.count, unchanged: existing.count - rows.count };
  }

  /** Results are known to the database alone, so that every row counts as updated, and is read again for the change. */
  async #applyExpressions(em: SqlEntityManager, layout: EntityLayout, existing: ExistingRows): Promise<Counts> {
    const keys = layout.keys.map((key) => existing.values[key] ?? []);
    const { values } = new RowReader(layout, em).read([this.#values], 0).set;
    const now = new Date();
    for (const table of layout.tables) await this.#updateTable(em, layout, table, keys, values, now);
    if (areChangesWanted(em, layout.meta.class)) {
      const after = await readExisting(em, layout, layout.keys, keys);
      const { old, rows } = compareRows(layout, existing, after);
      await announceChanges(em, updates(layout, old, rows));
    }
    return { updated: existing.count, unchanged: 0 };
  }

  async #updateTable(
    em: SqlEntityManager,
    layout: EntityLayout,
    { meta, columns }: TableLayout,
    keys: readonly (readonly unknown[])[],
    values: readonly (readonly unknown[])[],
    now: Date,
  ): Promise<void> {
    const table = tableOf(em, meta);
    const bound = layout.dialect.bindValues();
    const assignments = columns.flatMap((place) => {
      const column = layout.columns[place] as MappedColumn;
      const sql = this.#assignmentOf(em, layout, column, table, values[place]?.[0], now, (value) => bound.bind(value));
      return sql === undefined ? [] : [`${column.name} = ${sql}`];
    });
    if (assignments.length === 0) return;
    const condition = whereKeys(layout, layout.keys, keys, bound, table);
    const sql = `update ${table} set ${assignments.join(', ')} where ${condition}`;
    const { affected } = await send(em, sql, bound.parameters);
    const expected = keys[0]?.length ?? 0;
    if (affected !== expected) throw new BulkWriteLostError(table, expected, affected);
  }

  #assignmentOf(
    em: SqlEntityManager,
    { dialect, platform }: EntityLayout,
    column: MappedColumn,
    table: string,
    given: unknown,
    now: Date,
    bind: (value: unknown) => string,
  ): string | undefined {
    const { name, role, onUpdate, topProperty, kind } = column;
    const expression = this.#expressions.get(topProperty);
    if (expression && role === 'value')
      return platform.formatQuery(expression.sql.replaceAll(ALIAS_REPLACEMENT, table), expression.params);
    if (role === 'version' && kind !== 'instant') return `${name} + 1`;
    const value = role === 'version' ? now.getTime() : onUpdate ? onUpdate(this.#values, em, now) : given;
    if (value === undefined || (role !== 'value' && role !== 'version')) return undefined;
    const placeholder = bind(value === null ? null : (dialect.toBound(column)?.(value) ?? value));
    return column.wrapBound?.(placeholder) ?? placeholder;
  }

  #assertSettable(name: string): void {
    const column = this.layout.columns.find(({ topProperty }) => topProperty === name);
    if (!column || column.role === 'value') return;
    const because = `${name} identifies a row or its state and cannot be set`;
    throw new BulkUnsupportedError(this.layout.meta.className, because, 'Leave it out.');
  }

  #assertOneColumn(name: string): void {
    const columns = this.layout.columns.filter(({ topProperty }) => topProperty === name);
    if (columns.length === 1) return;
    const because = `${name} is not one column, and an expression sets one`;
    throw new BulkUnsupportedError(this.layout.meta.className, because, 'Give it a value.');
  }
}
