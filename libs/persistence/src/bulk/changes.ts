import type { Change } from '../events/change.js';
import type { EntityLayout } from './entity-layout.js';
import type { ChangedRows } from './table-writer.js';

type Values = readonly (readonly unknown[])[];
type Fields = Record<string, unknown>;

/** Where a property of a change finds its value; a relation with a key of several columns has several places. */
interface ChangeField {
  readonly name: string;
  readonly places: readonly number[];
}

/** Properties that a change shows: all but the key, the tenant of a relation left out. */
function fieldsOf({ columns, keys }: EntityLayout): ChangeField[] {
  const places = columns.flatMap((_, place) => (keys.includes(place) ? [] : [place]));
  const groups = Map.groupBy(places, (place) => columns[place]?.property ?? '');
  return [...groups].map(([name, all]) => ({ name, places: all }));
}

function valueAt({ columns }: EntityLayout, values: Values, places: readonly number[], r: number): unknown {
  const [first, ...more] = places.map((place) => {
    const stored = values[place]?.[r];
    return stored === undefined || stored === null ? null : columns[place]?.type.toChanged(stored);
  });
  return more.length === 0 ? first : [first, ...more];
}

function keyAt(layout: EntityLayout, values: Values, r: number): Fields {
  const key: Fields = {};
  for (const place of layout.keys) key[layout.columns[place]?.property ?? ''] = valueAt(layout, values, [place], r);
  return key;
}

function stateAt(layout: EntityLayout, fields: readonly ChangeField[], values: Values, r: number): Fields {
  const state: Fields = {};
  for (const { name, places } of fields) state[name] = valueAt(layout, values, places, r);
  return state;
}

/** Changes for rows that were inserted; made one at a time, as they are asked for. */
export function* creations(layout: EntityLayout, values: Values, count: number): Iterable<Change> {
  const fields = fieldsOf(layout);
  for (let r = 0; r < count; r++) {
    yield { kind: 'create', meta: layout.meta, key: keyAt(layout, values, r), new: stateAt(layout, fields, values, r) };
  }
}

/** Changes for rows that were deleted. */
export function* deletions(layout: EntityLayout, values: Values, count: number): Iterable<Change> {
  const fields = fieldsOf(layout);
  for (let r = 0; r < count; r++) {
    yield { kind: 'delete', meta: layout.meta, key: keyAt(layout, values, r), old: stateAt(layout, fields, values, r) };
  }
}

/** Changes for rows that were updated, with what changed and nothing else. */
export function* updates(layout: EntityLayout, old: Values, rows: ChangedRows): Iterable<Change> {
  const fields = fieldsOf(layout);
  for (let r = 0; r < rows.count; r++) {
    const changed = fields.filter(({ places }) => places.some((place) => rows.changed[place]?.[r]));
    if (changed.length === 0) continue;
    yield {
      kind: 'update',
      meta: layout.meta,
      key: keyAt(layout, rows.values, r),
      old: stateAt(layout, changed, old, r),
      new: stateAt(layout, changed, rows.values, r),
    };
  }
}
