import type { EntityMetadata, MetadataStorage, PolicyDef } from '@mikro-orm/core';
import { tenantColumnOf } from '../guard/sql/catalogue.js';
import { EVERY_TENANT, TENANT_SETTING } from './tenant-setting.js';

/** An identifier of PostgreSQL. */
export const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** A policy as it is declared. All commands unless `command` says otherwise; for every role. */
export interface TenantPolicy {
  readonly name: string;
  readonly command: 'all' | 'select';
  readonly using: string;
  readonly check?: string;
}

/**
 * The policies of a table with an owner in each row: a statement reaches the rows of the tenant that it names, and writes
 * none for another; and one that names all of them may read.
 */
export function tenantPolicies(column = 'tenant_id'): readonly TenantPolicy[] {
  const own = `${quoted(column)} = current_setting('${TENANT_SETTING}')::uuid`;
  const across = `current_setting('${TENANT_SETTING}') = '${EVERY_TENANT}'`;
  return [
    { name: 'tenant_rows', command: 'all', using: own, check: own },
    { name: 'across_tenants', command: 'select', using: across },
  ];
}

/**
 * The statements that put a table under row-level security, for the migration that makes it.
 *
 * @example
 * for (const sql of rowSecuritySql('coupon')) this.addSql(sql);
 */
export function rowSecuritySql(table: string, column?: string): string[] {
  return [
    `alter table ${quoted(table)} enable row level security`,
    `alter table ${quoted(table)} force row level security`,
    ...tenantPolicies(column).map((policy) => createPolicySql(quoted(table), policy)),
  ];
}

/** @param table  quoted, with its schema in front where it is not on the path */
export function createPolicySql(table: string, { name, command, using, check }: TenantPolicy): string {
  return `create policy ${quoted(name)} on ${table} for ${command} using (${using})${check ? ` with check (${check})` : ''}`;
}

/** Undoes `rowSecuritySql`, for `down` of a migration on a table that stays. */
export function dropRowSecuritySql(table: string): string[] {
  return [
    ...tenantPolicies().map(({ name }) => `drop policy if exists ${quoted(name)} on ${quoted(table)}`),
    `alter table ${quoted(table)} no force row level security`,
    `alter table ${quoted(table)} disable row level security`,
  ];
}

/** A table whose rows have owners. */
export interface TenantTable {
  readonly name: string;
  readonly column: string;
  readonly meta: EntityMetadata;
}

/** Every table of `metadata` whose rows have owners: those of class-table children and pivots too, each once. */
export function tenantTablesOf(metadata: MetadataStorage): TenantTable[] {
  const tables: TenantTable[] = [];
  for (const meta of metadata.getAll().values()) {
    const { root, tableName: name, virtual, embeddable } = meta;
    // Single-table children share the table of their root.
    if (!name || virtual || embeddable || (root !== meta && root.tableName === name)) continue;
    const column = tenantColumnOf(meta);
    if (column !== undefined) tables.push({ name, column, meta });
  }
  return tables.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Puts every table whose rows have owners under row-level security, in the mapping: from then on schema creation,
 * comparison and generated migrations know of it. Entities declare nothing. For PostgreSQL, as (part of)
 * `discovery.afterDiscovered`.
 */
export function addTenantPolicies(metadata: MetadataStorage): void {
  for (const { meta, column } of tenantTablesOf(metadata)) {
    meta.policies = tenantPolicies(column).map((policy): PolicyDef<never> => ({ ...policy }));
    // Otherwise the owner of a table would not be held to its policies.
    meta.rowLevelSecurity = 'force';
  }
}
