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
  const puts: Put[] = [];
  const claimed = new Map<string, number>();
  const stored: { readonly property: EntityProperty; readonly keys: readonly string[] }[] = [];
  for (const property of concrete.props) {
    if (!property.fieldNames || isSpread(property)) continue;
    const prefix = prefixOf(selection, concrete, property);
    if (prefix === undefined || !isReadable(property)) return undefined;
    const keys = property.fieldNames.map((field) => prefix + field);
    // Lazy columns are not selected.
    if (!keys.every((key) => key in example.row)) continue;
    for (const key of keys) claimed.set(key, (claimed.get(key) ?? 0) + 1);
    stored.push({ property, keys });
  }
  const isShared = (key: string) => (claimed.get(key) ?? 0) > 1;
  for (const { property, keys } of stored) puts.push(putterOf(selection, property, keys, isShared));
  for (const [name, value] of Object.entries(example.state)) {
    if (!(name in concrete.properties) && !claimed.has(name)) puts.push(leftover(name, value, name in example.row));
  }
  return (row) => {
    const state: Record<string, unknown> = {};
    for (const put of puts) put(state, row);
    return state as StoredState;
  };
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

function putterOf(
  { driver }: Selection,
  property: EntityProperty,
  keys: readonly string[],
  isShared: (key: string) => boolean,
): Put {
  const { name, runtimeType } = property;
  const [key = ''] = keys;
  if (keys.length > 1) return keyPutter(property, keys, isShared);
  const platform = driver.getPlatform();
  let read = (value: unknown): unknown => value;
  if (runtimeType === 'boolean') read = (value) => (value == null ? value : Boolean(value));
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
  { name, fieldNames }: EntityProperty,
  keys: readonly string[],
  isShared: (key: string) => boolean,
): Put {
  const isOwnTable = keys[0] === fieldNames[0];
  const own = keys.filter((key) => !isShared(key));
  return (state, row) => {
    const missing = keys.filter((key) => row[key] == null);
    if (missing.length === 0) state[name] = keys.map((key) => row[key]);
    else if (missing.length === keys.length || !isOwnTable) state[name] = null;
    else for (const key of own) state[key] = row[key];
  };
}

/** What stands before the names of the columns of a property's table. */
function prefixOf({ driver, query, meta }: Selection, concrete: EntityMetadata, property: EntityProperty) {
  if (concrete.root.inheritanceType !== 'tpt' || property.primary) return '';
  const owns = ({ ownProps }: EntityMetadata) => ownProps?.some(({ name }) => name === property.name);
  let owner: EntityMetadata | undefined = concrete;
  while (owner && !owns(owner)) owner = owner.tptParent;
  if (!owner) return undefined;
  if (owner === meta) return '';
  const above = (query as unknown as { state: { tptAlias: Record<string, string> } }).state.tptAlias[owner.className];
  const alias = isAbove(owner, meta) ? above : driver.findTPTChildAlias(query, owner);
  return alias === undefined ? undefined : `${alias}__`;
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
