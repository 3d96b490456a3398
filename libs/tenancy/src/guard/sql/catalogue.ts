import type { EntityMetadata, EntityProperty, MetadataStorage } from '@mikro-orm/core';
import type { EngineName } from '#libs/persistence';
import { isTenantScoped, scopeOf, TENANT_PROPERTY } from '../tenant-scope.js';
import { lowerCase } from './lexer.js';

/** A table of tenant databases, as far as the check of statements needs to know it. */
export interface CatalogueTable {
  readonly name: string;
  /** Column that names the owner of a row; absent where all tenants share the rows. */
  readonly tenantColumn: string | undefined;
}

/** Column of the tenant in the rows of `meta`, or `undefined` where rows have no owner. */
export function tenantColumnOf(meta: EntityMetadata): string | undefined {
  const scope = scopeOf(meta);
  if (scope.kind === 'owned') return (meta.properties[TENANT_PROPERTY as never] as EntityProperty).fieldNames[0];
  if (scope.kind !== 'linking') return undefined;
  const link = meta.properties[scope.through as never] as EntityProperty;
  const target = link.targetMeta && tenantColumnOf(link.targetMeta);
  return link.joinColumns[link.referencedColumnNames.indexOf(target ?? '')];
}

/**
 * The tables a statement may name. It is made of the entities, so a table that no entity maps (the ledger of migrations,
 * `pg_class`, another schema's tables) is unknown, and a statement that names it is refused.
 */
export class Catalogue {
  readonly #tables = new Map<string, CatalogueTable>();
  readonly #schemas: ReadonlySet<string>;

  constructor(engine: EngineName, metadata: MetadataStorage) {
    const spelled = (name: string) => (engine === 'postgresql' ? name : lowerCase(name));
    const schemas = new Set<string>();
    for (const meta of metadata.getAll().values()) {
      const isShared = scopeOf(meta).kind === 'shared';
      const tenantColumn = isTenantScoped(meta) ? tenantColumnOf(meta) : undefined;
      // A row that could not be bound is as good as unknown.
      if (!meta.tableName || !(isShared || tenantColumn)) continue;
      if (meta.schema && meta.schema !== '*') schemas.add(spelled(meta.schema));
      const table = { name: spelled(meta.tableName), tenantColumn: tenantColumn && spelled(tenantColumn) };
      this.#tables.set(table.name, table);
    }
    this.#schemas = schemas;
  }

  /** Names as the lexer gives them: in lower case wherever the engine does not mind. */
  find(name: string): CatalogueTable | undefined {
    return this.#tables.get(name);
  }

  /** Whether an entity fixes this schema itself, for all tenants. */
  hasSchema(name: string): boolean {
    return this.#schemas.has(name);
  }
}
