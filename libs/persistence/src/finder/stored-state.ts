import {
  type EntityData,
  type EntityMetadata,
  type EntityProperty,
  type Platform,
  ReferenceKind,
} from '@mikro-orm/core';
import type { QueryBuilder } from '@mikro-orm/sql';
import type { DriverRow } from '../paging/row-columns.js';

/** What MikroORM keeps of a row to compare with at the flush: values by property. */
export type StoredState = EntityData<object> & Record<string, unknown>;

/** Puts what a row has of one property into a state. */
type Put = (state: Record<string, unknown>, row: DriverRow) => void;

/** Finds the alias of a child's table in a query of its base class. Protected in MikroORM's types. */
export interface AliasFinder {
  findTPTChildAlias(query: QueryBuilder<object>, meta: EntityMetadata): string | undefined;
  getPlatform(): Platform;
}

/** `select p.*` gives columns by their names; those of other tables of the hierarchy come as `alias__name`. */
export interface Selection {
  readonly driver: AliasFinder;
  readonly query: QueryBuilder<object>;
  /** The class that was asked for. */
  readonly meta: EntityMetadata;
}

/**
 * Makes states of rows of one concrete class, as `driver.mapResult` does, which looks for each alias anew at each row.
 *
 * @param example  a row of the class, and what `mapResult` made of it
 * @returns `undefined` where this would make something else
 */
export function createStateReader(
  selection: Selection,
  concrete: EntityMetadata,
  example: { readonly row: DriverRow; readonly state: StoredState },
): ((row: DriverRow) => StoredState) | undefined {
  const columns = columnsOf(selection, concrete, example.row);
  if (!columns) return undefined;
  const claims = Map.groupBy(
    columns.flatMap(({ names }) => names),
    (name) => name,
  );
  const isShared = (name: string) => (claims.get(name)?.length ?? 0) > 1;
  const puts = columns.map((it) => putterOf(selection, it, isShared));
  for (const [name, value] of Object.entries(example.state)) {
    if (!(name in concrete.properties) && !claims.has(name)) puts.push(leftover(name, value, name in example.row));
  }
  return stateReader(puts);
}

/** Apart, so that what it holds is the list alone: with the example it would hold a whole EntityManager, for ever. */
function stateReader(puts: readonly Put[]): (row: DriverRow) => StoredState {
  return (row) => {
    const state: Record<string, unknown> = {};
    for (const put of puts) put(state, row);
    return state as StoredState;
  };
}

/** Where a row has the value of one property. */
interface StoredColumns {
  readonly property: EntityProperty;
  /** Names of its columns in the row. */
  readonly keys: readonly string[];
  /** What MikroORM calls them before it maps the row: it takes the alias of a table above away. */
  readonly names: readonly string[];
  /** Whether it is in the table of a class below the one that was asked for, which MikroORM maps in another way. */
  readonly isBelow: boolean;
}

/** Those of all properties that were selected: lazy ones are not. */
function columnsOf(selection: Selection, concrete: EntityMetadata, row: DriverRow): StoredColumns[] | undefined {
  const columns: StoredColumns[] = [];
  for (const property of concrete.props) {
    if (!property.fieldNames || isSpread(property)) continue;
    const table = tableOf(selection, concrete, property);
    if (!table || !isReadable(property)) return undefined;
    const { prefix, isBelow } = table;
    const keys = property.fieldNames.map((field) => prefix + field);
    if (!keys.every((key) => key in row)) continue;
    columns.push({ property, keys, names: isBelow ? keys : property.fieldNames, isBelow });
  }
  return columns;
}

/** Whether its columns are those of other properties: an embedded value without a column of its own. */
function isSpread({ kind, object, array }: EntityProperty): boolean {
  return kind === ReferenceKind.EMBEDDED && !object && !array;
}

function isReadable({ kind, polymorphic, fieldNames, targetMeta }: EntityProperty): boolean {
  if (polymorphic || kind === ReferenceKind.EMBEDDED) return false;
  return (
    fieldNames.length === 1 || Boolean(targetMeta?.getPrimaryProps().every((it) => it.kind === ReferenceKind.SCALAR))
  );
}

/** Columns of no property of the class: MikroORM keeps them as they came. */
function leftover(name: string, value: unknown, isInRow: boolean): Put {
  return (state, row) => {
    state[name] = isInRow ? row[name] : value;
  };
}

function putterOf({ driver }: Selection, columns: StoredColumns, isShared: (name: string) => boolean): Put {
  const { property, keys, isBelow } = columns;
  const { name, runtimeType } = property;
  const [key = ''] = keys;
  if (keys.length > 1) return keyPutter(columns, isShared);
  const platform = driver.getPlatform();
  let read = (value: unknown): unknown => value;
  if (runtimeType === 'boolean' && !isBelow) read = (value) => (value == null ? value : Boolean(value));
  else if (runtimeType === 'Date' && !platform.isNumericProperty(property)) read = dateReader(platform);
  return (state, row) => {
    state[name] = read(row[key]);
  };
}

/**
 * The key of another row. Where it shares the tenant's column and points to nothing, MikroORM leaves the relation out, and
 * keeps the columns that are of this relation alone.
 */
function keyPutter(
  { property: { name }, keys, names, isBelow }: StoredColumns,
  isShared: (name: string) => boolean,
): Put {
  const own = keys.flatMap((key, at) => (isShared(names[at] ?? key) ? [] : [{ key, name: names[at] ?? key }]));
  return (state, row) => {
    const missing = keys.filter((key) => row[key] == null);
    if (missing.length === 0) state[name] = keys.map((key) => row[key]);
    else if (missing.length === keys.length || isBelow) state[name] = null;
    else for (const { key, name: column } of own) state[column] = row[key];
  };
}

/** The table of a property: what stands before the names of its columns, and whether it is one of a class below. */
function tableOf({ driver, query, meta }: Selection, concrete: EntityMetadata, property: EntityProperty) {
  const own = { prefix: '', isBelow: false };
  if (concrete.root.inheritanceType !== 'tpt' || property.primary) return own;
  const owns = ({ ownProps }: EntityMetadata) => ownProps?.some(({ name }) => name === property.name);
  let owner: EntityMetadata | undefined = concrete;
  while (owner && !owns(owner)) owner = owner.tptParent;
  if (!owner) return undefined;
  if (owner === meta) return own;
  const isBelow = !isAbove(owner, meta);
  const above = (query as unknown as { state: { tptAlias: Record<string, string> } }).state.tptAlias[owner.className];
  const alias = isBelow ? driver.findTPTChildAlias(query, owner) : above;
  return alias === undefined ? undefined : { prefix: `${alias}__`, isBelow };
}

function isAbove(owner: EntityMetadata, meta: EntityMetadata): boolean {
  for (let at = meta.tptParent; at; at = at.tptParent) if (at === owner) return true;
  return false;
}

/** Drivers give points in time as dates, numbers, or text without a time zone. */
function dateReader(platform: Platform): (value: unknown) => unknown {
  const zone = platform.getTimezone() ?? 'local';
  const hasZone = (text: string) => text.includes('+') || text.lastIndexOf('-') > 10 || text.endsWith('Z');
  return (value) => {
    if (value == null || value instanceof Date) return value;
    if (typeof value === 'bigint') return platform.parseDate(Number(value) as never);
    if (typeof value !== 'string' || zone === 'local' || hasZone(value)) return platform.parseDate(value as string);
    return platform.parseDate(value + zone);
  };
}
