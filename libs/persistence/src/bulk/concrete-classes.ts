import type { EntityMetadata } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { type EntityLayout, layoutOf } from './entity-layout.js';
import { descendantFlags, descendantJoins, whereKeys } from './existing-rows.js';
import { send, tableOf } from './table-sql.js';

type Values = readonly (readonly unknown[])[];

/** Rows of one concrete class, by their primary keys: `keys[c][k]`. */
export interface RowsOfClass {
  readonly meta: EntityMetadata;
  readonly keys: Values;
}

/** Whether the row under a key may be of another class than the one it is asked for by. */
export function isInHierarchy(meta: EntityMetadata): boolean {
  return meta.root.inheritanceType !== undefined;
}

/**
 * Locks the rows of a class, or of one below it, with the given primary keys, and sorts them by the class they really are
 * of: by their discriminator, or by the last table, from the root down, in which they stand.
 */
export async function lockByClass(em: SqlEntityManager, meta: EntityMetadata, keys: Values): Promise<RowsOfClass[]> {
  const layout = layoutOf(em, meta);
  const found = meta.root.inheritanceType === 'sti' ? readKinds(em, layout) : readTables(em, layout);
  const names = layout.keys.map((key, k) => `t0.${layout.columns[key]?.name} as k${k}`);
  const bound = layout.dialect.bindValues();
  const { rows } = await send(
    em,
    `select ${[...names, ...found.columns].join(', ')} from ${tableOf(em, meta.root)} as t0 ${found.joins}` +
      `where ${whereKeys(layout, layout.keys, keys, bound, 't0')}${layout.dialect.lockClause('t0')}`,
    bound.parameters,
  );
  return [...Map.groupBy(rows, found.classOf)].flatMap(([concrete, own]) => {
    const read = layout.keys.map((key, k) => own.map((row) => layout.columns[key]?.type.fromRead(row[`k${k}`])));
    return concrete ? [{ meta: concrete, keys: read }] : [];
  });
}

/** How a statement finds out the class of its rows. */
interface ClassFinder {
  readonly joins: string;
  readonly columns: readonly string[];
  /** `undefined`: neither of the class nor of one below it. */
  classOf(row: Record<string, unknown>): EntityMetadata | undefined;
}

function readKinds(em: SqlEntityManager, { meta, platform }: EntityLayout): ClassFinder {
  const { root } = meta;
  const discriminator = root.props.find(({ name }) => name === root.discriminatorColumn);
  const kinds = Object.entries(root.discriminatorMap ?? {});
  const isBelow = (kind: EntityMetadata) => kind === meta || kind.prototype instanceof meta.class;
  const below = kinds
    .map(([value, kind]) => [value, em.getMetadata().get(kind)] as const)
    .filter(([, it]) => isBelow(it));
  const classes = new Map<string, EntityMetadata>(below);
  return {
    joins: '',
    columns: [`t0.${platform.quoteIdentifier(discriminator?.fieldNames[0] ?? '')} as kind`],
    classOf: ({ kind }) => classes.get(String(kind)),
  };
}

function readTables(em: SqlEntityManager, layout: EntityLayout): ClassFinder {
  const { meta, descendants, keys, columns } = layout;
  const on = keys.map((key) => `own.${columns[key]?.name} = t0.${columns[key]?.name}`);
  const own = meta === meta.root ? '' : `join ${tableOf(em, meta)} as own on ${on.join(' and ')} `;
  return {
    joins: own + descendantJoins(em, layout),
    columns: descendantFlags(layout),
    classOf: (row) => descendants.findLast((_, d) => row[`f${d}`] !== null) ?? meta,
  };
}
