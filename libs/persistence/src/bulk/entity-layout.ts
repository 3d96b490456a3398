import { type EntityMetadata, type EntityProperty, ReferenceKind } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { engineOf } from '../engines/engines.js';
import { BulkUnsupportedError } from '../errors/bulk-unsupported.error.js';
import { embeddedJsonOf } from './embedded-json.js';
import { ForeignTenantValue, InvalidValue } from './invalid-value.js';
import {
  type ColumnRole,
  createScalarColumn,
  type MappedColumn,
  type MappingTools,
  type SourceRow,
} from './mapped-column.js';
import { createRelationColumns, isTenantOwned } from './relation-columns.js';
import { isEmbeddedJson } from './stored-kind.js';

/** One table of an entity. Columns are named by their place in the layout; those of the primary key come first. */
export interface TableLayout {
  readonly meta: EntityMetadata;
  readonly columns: readonly number[];
}

/** Where the values of one concrete class lie: its tables, root first, and their columns. Made once per class and ORM. */
export interface EntityLayout extends MappingTools {
  readonly meta: EntityMetadata;
  readonly tables: readonly TableLayout[];
  /** Classes below this one that have tables of their own: parents before children. */
  readonly descendants: readonly EntityMetadata[];
  readonly columns: readonly MappedColumn[];
  /** Places of the primary key's columns; they come first. */
  readonly keys: readonly number[];
  /** Place of the version, or −1. */
  readonly version: number;
  /** Places of the tenant among the keys; empty where rows belong to no tenant. */
  readonly tenants: readonly number[];
  /** Top-level properties that a row may have. */
  readonly properties: ReadonlySet<string>;
}

const layouts = new WeakMap<EntityMetadata, EntityLayout>();

/**
 * The layout of a class.
 * @throws {BulkUnsupportedError} when it maps what a bulk write cannot express
 */
export function layoutOf(em: SqlEntityManager, meta: EntityMetadata): EntityLayout {
  const known = layouts.get(meta);
  if (known) return known;
  const layout = createLayout(em, meta);
  layouts.set(meta, layout);
  return layout;
}

function createLayout(em: SqlEntityManager, meta: EntityMetadata): EntityLayout {
  if (meta.virtual || meta.view || meta.readonly)
    throw new BulkUnsupportedError(meta.className, 'it is read only', 'Write the tables behind it.');
  const tools = {
    platform: em.getPlatform(),
    dialect: engineOf(em).bulk,
    embeddedJsonOf: embeddedJsonOf(em, meta),
  };
  const columns = createColumns(tools, meta);
  return {
    ...tools,
    meta,
    columns,
    tables: createTables(meta, columns),
    descendants: descendantsOf(em, meta),
    keys: columns.flatMap((column, c) => (isKey(column) ? [c] : [])),
    version: columns.findIndex(({ role }) => role === 'version'),
    tenants: columns.flatMap(({ role }, c) => (role === 'tenant' ? [c] : [])),
    properties: new Set(columns.map(({ topProperty }) => topProperty)),
  };
}

/**
 * The layout of a class that rows can be of.
 * @throws {BulkUnsupportedError} when the class is abstract
 */
export function concreteLayoutOf(em: SqlEntityManager, meta: EntityMetadata): EntityLayout {
  const isNameless = meta.root.inheritanceType === 'sti' && meta.discriminatorValue === undefined;
  if (meta.abstract || isNameless)
    throw new BulkUnsupportedError(meta.className, 'it is abstract', 'Name the class that the rows shall be of.');
  return layoutOf(em, meta);
}

function isKey({ role }: MappedColumn): boolean {
  return role === 'key' || role === 'tenant';
}

function roleOf(meta: EntityMetadata, property: EntityProperty): ColumnRole {
  if (property.primary) return property.name === 'tenantId' && isTenantOwned(meta) ? 'tenant' : 'key';
  if (property.version) return 'version';
  return property.name === meta.root.discriminatorColumn && meta.root.inheritanceType === 'sti'
    ? 'discriminator'
    : 'value';
}

/** Whether a property has columns that are written. */
function isWritten(meta: EntityMetadata, property: EntityProperty): boolean {
  if (property.persist === false || property.formula || !property.fieldNames?.length) return false;
  if (property.generated && !property.primary) return false;
  if (property.kind === ReferenceKind.ONE_TO_MANY || property.kind === ReferenceKind.MANY_TO_MANY) return false;
  if (property.kind === ReferenceKind.ONE_TO_ONE && !property.owner) return false;
  if (property.kind === ReferenceKind.EMBEDDED) return isEmbeddedJson(property) && !isInsideJson(meta, property);
  return !isInsideJson(meta, property);
}

function isInsideJson(meta: EntityMetadata, { embedded }: EntityProperty): boolean {
  if (!embedded) return false;
  const owner = meta.properties[embedded[0] as keyof typeof meta.properties] as EntityProperty | undefined;
  return owner !== undefined && (isEmbeddedJson(owner) || isInsideJson(meta, owner));
}

function columnsOf(tools: MappingTools, meta: EntityMetadata, property: EntityProperty): MappedColumn[] {
  const role = roleOf(meta, property);
  if (property.kind === ReferenceKind.MANY_TO_ONE || property.kind === ReferenceKind.ONE_TO_ONE)
    return createRelationColumns(tools, meta, property, role);
  const column = createScalarColumn(tools, property, meta.properties, role);
  if (role === 'tenant') return [{ ...column, take: takeTenant }];
  if (role === 'discriminator') return [discriminatorColumn(meta, column)];
  return [column];
}

function takeTenant(row: SourceRow, tenantId: string): unknown {
  // An instance that was made to look at its initialisers has none.
  const { tenantId: given } = row;
  if (given !== undefined && given !== tenantId) throw new ForeignTenantValue();
  return given;
}

/** The class decides; a row that says otherwise is meant for another class. */
function discriminatorColumn(meta: EntityMetadata, column: MappedColumn): MappedColumn {
  const stored = meta.discriminatorValue;
  return {
    ...column,
    initial: () => stored,
    take(row) {
      const given = row[column.topProperty];
      if (given !== undefined && given !== stored) throw new InvalidValue(`must be ${stored} in a ${meta.className}`);
      return given;
    },
  };
}

/** Every column once, those of the primary key first. */
function createColumns(tools: MappingTools, meta: EntityMetadata): MappedColumn[] {
  const columns = new Map<string, MappedColumn>();
  const written = meta.props.filter((property) => isWritten(meta, property));
  const keysFirst = [...meta.getPrimaryProps(), ...written.filter(({ primary }) => !primary)];
  for (const property of keysFirst) {
    for (const column of columnsOf(tools, meta, property)) {
      // A relation repeats columns that the row has of its own, such as the tenant's.
      if (!columns.has(column.name)) columns.set(column.name, column);
    }
  }
  return [...columns.values()];
}

/** Root first. Every table carries the primary key; a column of a value lies in the table of the class that declares it. */
function createTables(meta: EntityMetadata, columns: readonly MappedColumn[]): TableLayout[] {
  const chain: EntityMetadata[] = [];
  for (let it: EntityMetadata | undefined = meta; it; it = it.tptParent) chain.unshift(it);
  if (chain.length === 1) return [{ meta: meta.root, columns: columns.map((_, c) => c) }];
  return chain.map((level) => {
    const own = new Set(level.ownProps?.map(({ name }) => name as string));
    const places = columns.flatMap((column, c) => (isKey(column) || own.has(column.topProperty) ? [c] : []));
    return { meta: level, columns: places };
  });
}

function descendantsOf(em: SqlEntityManager, meta: EntityMetadata): EntityMetadata[] {
  const children = [...em.getMetadata().getAll().values()].filter(({ tptParent }) => tptParent === meta);
  return children.flatMap((child) => [child, ...descendantsOf(em, child)]);
}
