import { Utils } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { currentContext } from '#libs/context';
import type { BulkRowError } from '../errors/bulk-row.error.js';
import { InvalidRowError } from '../errors/invalid-row.error.js';
import { RowTenantMismatchError } from '../errors/row-tenant-mismatch.error.js';
import { createEntityMaker } from './constructors.js';
import type { EntityLayout } from './entity-layout.js';
import { findInitialValues } from './initial-values.js';
import { ForeignTenantValue, InvalidValue } from './invalid-value.js';
import type { MappedColumn, SourceRow } from './mapped-column.js';
import { locate } from './row-location.js';
import { pick, type RowSet } from './row-set.js';

/** Rows that can be written, and why the others cannot. */
export interface ReadRows {
  readonly set: RowSet;
  readonly faults: readonly BulkRowError[];
}

/** Faults by position in a set; the first of a row counts. */
type Faults = Map<number, BulkRowError>;

/** Turns given rows into stored values, a column at a time. A fault concerns its row alone. */
export class RowReader {
  /** The tenant of the context; empty for rows that belong to none. */
  readonly tenantId: string;

  /**
   * @param by  properties that the caller tells rows apart by, for errors
   * @throws {NoTenantInContextError} when rows of this class belong to a tenant and the context names none
   */
  constructor(
    private readonly layout: EntityLayout,
    private readonly em: SqlEntityManager,
    private readonly by?: readonly string[],
  ) {
    this.tenantId = layout.tenants.length > 0 ? currentContext().getTenant().id : '';
  }

  /** What the rows mention, and nothing else. */
  read(rows: readonly SourceRow[], firstIndex: number): ReadRows {
    const given: RowSet = { rows, indexes: rows.map((_, r) => firstIndex + r), values: [] };
    const known = this.#withoutUnknown(given);
    const faults: Faults = new Map();
    const values = this.layout.columns.map((column) =>
      this.#eachRow(known.set, column.property, faults, (row) => column.take(row, this.tenantId)),
    );
    return this.#without({ ...known.set, values }, faults, known.faults);
  }

  /** The primary keys of the rows; the tenant is filled in. */
  readKeys(rows: readonly SourceRow[], firstIndex: number): ReadRows {
    const { keys, columns } = this.layout;
    const { set, faults } = this.read(rows, firstIndex);
    const incomplete: Faults = new Map();
    for (const key of keys) {
      const column = columns[key] as MappedColumn;
      set.values[key] = this.#eachRow(set, column.property, incomplete, (_, r) => {
        const value = column.role === 'tenant' ? this.tenantId : set.values[key]?.[r];
        if (value === undefined || value === null) throw new InvalidValue('is part of the key and missing');
        return value;
      });
    }
    return this.#without(set, incomplete, faults);
  }

  /** Adds what a new row has without mentioning it: keys, defaults, first version. */
  complete(read: ReadRows): ReadRows {
    const { meta, columns } = this.layout;
    const initials = findInitialValues(meta, columns);
    const { set, faults: earlier } = initials ? read : this.#construct(read);
    const faults: Faults = new Map();
    const now = new Date();
    const values = columns.map((column, c) => {
      const taken = set.values[c] ?? [];
      if (isComplete(column, taken)) return taken;
      const completed = { ...column, initial: initials?.get(column) ?? column.initial };
      return this.#eachRow(set, column.property, faults, (row, r) =>
        this.#completeValue(completed, taken[r], row, now),
      );
    });
    return this.#without({ ...set, values }, faults, earlier);
  }

  /** Constructors and initialisers have their say, as in a flush. */
  #construct({ set, faults: earlier }: ReadRows): ReadRows {
    const { make, decides } = createEntityMaker(this.em, this.layout.meta);
    const faults: Faults = new Map();
    const entities = this.#eachRow(set, 'the row', faults, make) as SourceRow[];
    const values = this.layout.columns.map((column, c) => {
      const given = set.values[c] ?? [];
      if (column.role === 'tenant') return given;
      const isDecided = decides(column.topProperty);
      return this.#eachRow(set, column.property, faults, (_, r) => {
        if (given[r] !== undefined && !isDecided) return given[r];
        return column.take(entities[r] as SourceRow, this.tenantId);
      });
    });
    return this.#without({ ...set, values }, faults, earlier);
  }

  #completeValue(column: MappedColumn, taken: unknown, row: SourceRow, now: Date): unknown {
    const { role, initial, onCreate, nullable, hasTableDefault } = column;
    // A version given with a row is an expectation about a row that exists.
    if (role === 'version') return column.kind === 'instant' ? now.getTime() : 1;
    let value = taken;
    if (value === undefined) value = role === 'tenant' ? this.tenantId : initial?.(row, this.em, now);
    value ??= onCreate?.(row, this.em, now) ?? value;
    if (value === undefined && hasTableDefault) return undefined;
    if ((value === undefined || value === null) && !nullable) throw new InvalidValue('is required');
    return value ?? null;
  }

  /** `make` for every row. After a fault it goes on with the next one. */
  #eachRow(set: RowSet, property: string, faults: Faults, make: (row: SourceRow, r: number) => unknown): unknown[] {
    const { rows } = set;
    const values = new Array<unknown>(rows.length);
    for (let r = 0; r < rows.length; r++) {
      try {
        // One `try` for many rows: it is left at the first fault only.
        // Hooks are not called for a row that is out already.
        for (; r < rows.length; r++) values[r] = faults.has(r) ? null : make(rows[r] as SourceRow, r);
      } catch (error) {
        if (!(error instanceof InvalidValue)) throw error;
        values[r] = null;
        if (!faults.has(r)) faults.set(r, this.#toFault(set, r, property, error));
      }
    }
    return values;
  }

  /** A misspelt property would otherwise be lost without a word. */
  #withoutUnknown(set: RowSet): ReadRows {
    const { properties, meta } = this.layout;
    const faults: Faults = new Map();
    set.rows.forEach((row, r) => {
      if (!isRow(row)) {
        faults.set(r, this.#toFault(set, r, 'the row', new InvalidValue('must be an object')));
        return;
      }
      const isEntity: boolean = Utils.isEntity(row);
      if (isEntity) return;
      for (const name in row) {
        if (properties.has(name)) continue;
        const problem = `is no property of ${meta.className} that a bulk write takes`;
        faults.set(r, this.#toFault(set, r, name, new InvalidValue(problem)));
      }
    });
    return this.#without(set, faults, []);
  }

  #without(set: RowSet, faults: Faults, earlier: readonly BulkRowError[]): ReadRows {
    if (faults.size === 0) return { set, faults: earlier };
    const rest = set.rows.flatMap((_, r) => (faults.has(r) ? [] : [r]));
    return { set: pick(set, rest), faults: [...earlier, ...faults.values()] };
  }

  #toFault(set: RowSet, r: number, property: string, fault: InvalidValue): BulkRowError {
    const location = locate(this.layout.meta, this.by, set.rows[r], set.indexes[r] ?? r);
    if (fault instanceof ForeignTenantValue) return new RowTenantMismatchError(location, property);
    return new InvalidRowError(location, property, fault.message, { cause: fault.cause });
  }
}

function isComplete({ role, nullable, onCreate }: MappedColumn, values: readonly unknown[]): boolean {
  const mayBeNull = nullable && !onCreate;
  return role !== 'version' && !values.some((value) => value === undefined || (value === null && !mayBeNull));
}

/** Rows from outside may be anything. */
function isRow(row: unknown): boolean {
  return typeof row === 'object' && row !== null;
}
