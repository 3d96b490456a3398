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

/** Whether rows that are asked for by this class may be of another one. */
export function hasKinds(em: SqlEntityManager, meta: EntityMetadata): boolean {
  if (meta.root.inheritanceType !== 'sti') return layoutOf(em, meta).descendants.length > 0;
  return [...em.getMetadata().getAll().values()].some(({ extends: parent }) => parent === meta.class);
}

/**
 * Locks the rows with the given primary keys that exist, and sorts them by the class they really are of: by their
 * discriminator, or by the last table, from the root down, in which they stand.
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
  return [...Map.groupBy(rows, found.classOf)].map(([concrete, own]) => ({
    meta: concrete,
    keys: layout.keys.map((key, k) => own.map((row) => layout.columns[key]?.type.fromRead(row[`k${k}`]))),
  }));
}

/** How a statement finds out the class of its rows. */
interface ClassFinder {
  readonly joins: string;
  readonly columns: readonly string[];
  classOf(row: Record<string, unknown>): EntityMetadata;
}

function readKinds(em: SqlEntityManager, { meta, platform }: EntityLayout): ClassFinder {
  const { root } = meta;
  const discriminator = root.props.find(({ name }) => name === root.discriminatorColumn);
  const kinds = Object.entries(root.discriminatorMap ?? {});
  const classes = new Map(kinds.map(([value, kind]) => [value, em.getMetadata().get(kind)]));
  return {
    joins: '',
    columns: [`t0.${platform.quoteIdentifier(discriminator?.fieldNames[0] ?? '')} as kind`],
    classOf: ({ kind }) => classes.get(String(kind)) ?? meta,
  };
}

function readTables(em: SqlEntityManager, layout: EntityLayout): ClassFinder {
  const { meta, descendants } = layout;
  return {
    joins: descendantJoins(em, layout),
    columns: descendantFlags(layout),
    classOf: (row) => descendants.findLast((_, d) => row[`f${d}`] !== null) ?? meta,
  };
}
