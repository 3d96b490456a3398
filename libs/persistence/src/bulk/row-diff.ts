import type { SqlEntityManager } from '@mikro-orm/sql';
import type { EntityLayout } from './entity-layout.js';
import type { ExistingRows } from './existing-rows.js';
import type { MappedColumn } from './mapped-column.js';
import { keyText } from './natural-key.js';
import type { RowSet } from './row-set.js';
import type { ChangedRows } from './table-writer.js';

/** A given row, by its position in its set, and the existing row it is about. */
export interface Match {
  readonly given: number;
  readonly existing: number;
}

/** Rows that are not as given, before and after. */
export interface RowDiff {
  readonly old: readonly (readonly unknown[])[];
  readonly rows: ChangedRows;
}

function differs({ type }: MappedColumn, old: unknown, given: unknown): boolean {
  if (old === given) return false;
  return old === null || given === null || !type.isSame(old, given);
}

/**
 * Compares given rows with those that exist, column by column. What a row does not mention stays. Rows that differ get
 * their `onUpdate` values and their next version.
 */
export function diffRows(
  em: SqlEntityManager,
  layout: EntityLayout,
  set: RowSet,
  existing: ExistingRows,
  matches: readonly Match[],
): RowDiff {
  const isDirty = matches.map(() => false);
  const changes = layout.columns.map((column, c) => {
    if (column.role !== 'value') return undefined;
    const [given, old] = [set.values[c] ?? [], existing.values[c] ?? []];
    return matches.map((match, m) => {
      const value = given[match.given];
      const isChanged = value !== undefined && differs(column, old[match.existing], value);
      if (isChanged) isDirty[m] = true;
      return isChanged;
    });
  });
  const dirty = matches.flatMap((_, m) => (isDirty[m] ? [m] : []));
  const at = <T>(from: readonly T[] | undefined, place: (match: Match) => number) =>
    dirty.map((m) => from?.[place(matches[m] as Match)] as T);

  const old = existing.values.map((values) => at(values, (match) => match.existing));
  const changed = changes.map((column) => column && dirty.map((m) => column[m] === true));
  const values = old.map((before, c) => {
    const given = at(set.values[c], (match) => match.given);
    return changed[c] ? before.map((value, d) => (changed[c]?.[d] ? given[d] : value)) : before;
  });
  const rows = { count: dirty.length, values, changed };
  const sources = at(set.rows, (match) => match.given);
  return { old, rows: advance(em, layout, old, rows, sources) };
}

/** `onUpdate` values and the next version of rows that change. */
function advance(
  em: SqlEntityManager,
  layout: EntityLayout,
  old: RowDiff['old'],
  rows: ChangedRows,
  sources: RowSet['rows'],
): ChangedRows {
  const now = new Date();
  const values = [...rows.values];
  const changed = [...rows.changed];
  layout.columns.forEach((column, c) => {
    const before = old[c] ?? [];
    if (column.role === 'version') values[c] = before.map((version) => nextVersion(column, version, now));
    else if (column.onUpdate) values[c] = sources.map((row) => column.onUpdate?.(row, em, now));
    else return;
    const after = values[c] ?? [];
    changed[c] = before.map((value, r) => differs(column, value, after[r]));
  });
  // A column in which nothing differs is none to write.
  return { ...rows, values, changed: changed.map((column) => (column?.includes(true) ? column : undefined)) };
}

function nextVersion({ kind }: MappedColumn, version: unknown, now: Date): unknown {
  return kind === 'instant' ? now.getTime() : Number(version) + 1;
}

/** Two readings of the same rows, in whatever order. */
export function compareRows(layout: EntityLayout, before: ExistingRows, after: ExistingRows): RowDiff {
  const byKey = new Map<string, number>();
  for (let row = 0; row < after.count; row++) byKey.set(keyText(after.values, layout.keys, row), row);
  const pairs = Array.from({ length: before.count }, (_, row) => [
    row,
    byKey.get(keyText(before.values, layout.keys, row)),
  ]);
  const kept = pairs.filter((pair): pair is [number, number] => pair[1] !== undefined);
  const old = before.values.map((values) => kept.map(([row]) => values[row]));
  const values = after.values.map((column) => kept.map(([, row]) => column[row]));
  const changed = layout.columns.map((column, c) =>
    layout.keys.includes(c) ? undefined : kept.map((_, r) => differs(column, old[c]?.[r], values[c]?.[r])),
  );
  return { old, rows: { count: kept.length, values, changed } };
}
