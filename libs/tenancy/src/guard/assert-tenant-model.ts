import type { EntityMetadata, EntityProperty, MetadataStorage } from '@mikro-orm/core';
import { EntityNotTenantScopedError } from './errors/entity-not-tenant-scoped.error.js';
import { tenantColumnOf } from './sql/catalogue.js';
import { isTenantScoped, isToOne, scopeOf } from './tenant-scope.js';

/**
 * Checks that every row of a tenant database has an owner and that nothing reaches across: each entity extends
 * `TenantOwned` or is declared with `@SharedByTenants`; keys, foreign keys, pivots and unique constraints carry the
 * tenant's column. The guard builds on all of that. Call it at start-up, once the entities are discovered.
 *
 * @throws {EntityNotTenantScopedError} with every finding and what to write
 */
export function assertTenantModel(metadata: MetadataStorage): void {
  const tables = [...metadata.getAll().values()].filter((meta) => meta.tableName && !meta.embeddable && !meta.virtual);
  const findings = tables.flatMap(findingsOf);
  if (findings.length > 0) throw new EntityNotTenantScopedError(findings);
}

function findingsOf(meta: EntityMetadata): string[] {
  const scope = scopeOf(meta);
  if (scope.kind === 'undeclared') {
    return [`${nameOf(meta)} has no owner. Extend TenantOwned, or declare it with @SharedByTenants(reason).`];
  }
  if (scope.kind === 'shared') return sharedFindings(meta);
  const column = tenantColumnOf(meta);
  if (column === undefined) return [`${nameOf(meta)} links rows without one tenant column for both. ${PIVOT_REMEDY}`];
  return [...linkFindings(meta, column), ...uniqueFindings(meta, column), ...relationFindings(meta, column)];
}

const PIVOT_REMEDY =
  "Give the relation joinColumns: ['tenant_id', '<owner>_id'] and inverseJoinColumns: ['tenant_id', '<item>_id'].";

/** A pivot entity made by MikroORM has no class of its own; its table says more than its name. */
function nameOf(meta: EntityMetadata): string {
  return meta.pivotTable ? `The pivot table "${meta.tableName}"` : meta.className;
}

function sharedFindings(meta: EntityMetadata): string[] {
  return toOnesOf(meta)
    .filter(({ targetMeta }) => targetMeta && isTenantScoped(targetMeta))
    .map(
      ({ name }) => `${meta.className}.${name} points from a shared row to one of a tenant. Turn the relation round.`,
    );
}

/** Both ends of a pivot must share the column, or a row may link two tenants. */
function linkFindings(meta: EntityMetadata, column: string): string[] {
  if (scopeOf(meta).kind !== 'linking') return [];
  const apart = meta.getPrimaryProps().some((key) => !key.joinColumns.includes(column));
  return apart ? [`${nameOf(meta)} keeps the tenant of its ends in two columns. ${PIVOT_REMEDY}`] : [];
}

/** A unique value across tenants tells one of them what another has, and lets an upsert land on its row. */
function uniqueFindings(meta: EntityMetadata, column: string): string[] {
  const single = meta.props.filter((property) => property.unique && !property.primary).map(({ name }) => [name]);
  const several = meta.uniques.map(({ properties }) => [properties ?? []].flat() as string[]);
  return [...single, ...several]
    .filter((names) => !names.some((name) => columnsOf(meta, name).includes(column)))
    .map((names) => {
      const all = ['tenantId', ...names].map((name) => `'${name}'`).join(', ');
      return `${meta.className} has a unique ${names.join(', ')} across tenants. Write @Unique({ properties: [${all}] }).`;
    });
}

function columnsOf(meta: EntityMetadata, name: string): readonly string[] {
  const property = meta.properties[name as never] as EntityProperty | undefined;
  return property ? [...property.fieldNames, ...(property.joinColumns ?? [])] : [];
}

function relationFindings(meta: EntityMetadata, column: string): string[] {
  return toOnesOf(meta).flatMap(({ name, targetMeta, joinColumns, deleteRule }) => {
    if (!targetMeta || !isTenantScoped(targetMeta)) return [];
    const relation = `${meta.className}.${name}`;
    if (!joinColumns.includes(column)) {
      return [
        `${relation} may point to another tenant's row. Give it joinColumns: ['${column}', '${name}_id'], ` +
          `referencedColumnNames: ['${tenantColumnOf(targetMeta)}', 'id'] and ownColumns: ['${name}_id'].`,
      ];
    }
    const nulls =
      deleteRule === 'set null'
        ? [`${relation} would null "${column}" when its target is deleted. Give it deleteRule: 'restrict'.`]
        : [];
    return nulls;
  });
}

function toOnesOf(meta: EntityMetadata): EntityProperty[] {
  return (meta.relations as EntityProperty[]).filter(
    (property) => isToOne(property) && property.owner !== false && !property.mappedBy,
  );
}
