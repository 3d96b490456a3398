import type { CatalogueTable } from './catalogue.js';

/** Where a statement holds a value that must be the tenant's id: in its text, in a parameter, or in every element of one. */
export type Slot = { readonly literal: string } | { readonly parameter: number } | { readonly elementsOf: number };

/**
 * The values an expression can have: only those of its slots, or null. No slots at all means that it is proven
 * elsewhere, such as the tenant column of a sub-query that is itself bound.
 */
export type Source = readonly Slot[];

/** Columns that a query gives to the one around it, as far as they are known to hold the tenant. */
export interface Outputs {
  readonly byName: ReadonlyMap<string, Source>;
  /** Empty where positions are not known, as behind `*`. */
  readonly byPosition: readonly (Source | undefined)[];
}

export const NO_OUTPUTS: Outputs = { byName: new Map(), byPosition: [] };

/** A table, sub-query or function in a FROM clause, under the name that columns are asked of it. */
export interface TableRef {
  readonly alias: string;
  /** Table with an owner per row; absent for everything that needs no binding of its own. */
  readonly table: (CatalogueTable & { readonly tenantColumn: string }) | undefined;
  /** A table of the catalogue that all tenants share. */
  readonly shared: boolean;
  readonly outputs: Outputs;
}

/** "When the tenant of `needs` is proven (or at once, without it) and the slots hold it, the rows of `gives` are bound." */
export interface Implication {
  readonly needs: TableRef | undefined;
  readonly gives: TableRef;
  readonly slots: Source;
}

/** One SELECT, UPDATE or DELETE with its own FROM. */
export interface Block {
  readonly refs: readonly TableRef[];
  readonly implications: Implication[];
}

/** A table that a statement writes to. */
export interface Write {
  readonly table: string;
  /** Whether it only adds rows, and neither replaces nor updates one that exists. */
  readonly adds: boolean;
}

/** What is known of a statement before its parameters are. */
export interface Analysis {
  /** Why it can never be let through; everything else is meaningless then. */
  readonly refusal?: string;
  /** Where tables need no tenant: whether each row it gives says whose it is. */
  readonly tellsTenant?: boolean;
  /** Whether it reaches no table, so that it needs no tenant. */
  readonly reachesData: boolean;
  /** Schemas it names that are not fixed by an entity: each must be the tenant's own. */
  readonly schemas: ReadonlySet<string>;
  /** Tables it names without a schema. */
  readonly bare: ReadonlySet<string>;
  /** Values that must be the tenant's: those it writes. */
  readonly required: readonly Slot[];
  readonly blocks: readonly Block[];
  readonly writes: readonly Write[];
  /** `required` and the slots of all blocks: when all of them hold, so does everything else. */
  readonly everySlot: readonly Slot[];
}

/** Tables of `block` that nothing binds, given which slots hold the tenant. */
export function findUnbound(block: Block, holds: (slot: Slot) => boolean): TableRef[] {
  const bound = new Set<TableRef>();
  const open = block.implications.filter(({ slots }) => slots.every(holds));
  for (let size = -1; size !== bound.size; ) {
    size = bound.size;
    for (const { needs, gives } of open) if (!needs || bound.has(needs)) bound.add(gives);
  }
  return block.refs.filter((ref) => ref.table && !bound.has(ref));
}
