import type { EntityMetadata } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { areChangesWanted } from '../events/announce-changes.js';
import { CascadeRecord } from '../events/cascade-record.js';
import type { Change } from '../events/change.js';
import { ChangeDrafts } from '../events/change-drafts.js';
import { LinkRecord } from '../events/link-record.js';
import { RelationMap } from '../events/relation-map.js';
import { hashOf, type Key, StateReader } from '../events/state-reader.js';

/** Whether anybody wants to know what goes when rows of `meta` are deleted: themselves, what the database deletes or unlinks with them, or links. */
export function isDeletionWanted(em: SqlEntityManager, meta: EntityMetadata): boolean {
  const relations = RelationMap.of(em.getMetadata());
  const concerned = [
    meta,
    ...relations.cascadesFrom(meta).map((reference) => reference.meta),
    ...(['owner', 'item'] as const).flatMap((side) => relations.pivotsWith(meta, side).map((pivot) => pivot.owner)),
  ];
  return concerned.some((it) => areChangesWanted(em, it.class));
}

/**
 * Changes of a bulk delete, with what the database takes along by its foreign keys, as a flush announces them. Read before
 * the statements, since nothing tells of it later.
 *
 * @param deletions changes of the rows themselves
 */
export async function withConsequences(em: SqlEntityManager, deletions: readonly Change[]): Promise<readonly Change[]> {
  const relations = RelationMap.of(em.getMetadata());
  const wants = (meta: EntityMetadata) => areChangesWanted(em, meta.class);
  const [cascades, links] = [new CascadeRecord(relations, wants), new LinkRecord(relations, wants)];
  const drafts = new ChangeDrafts();
  const deleted = new Set<string>();
  for (const deletion of deletions) {
    const key = Object.values(deletion.key);
    if (wants(deletion.meta)) drafts.add({ ...deletion });
    deleted.add(hashOf([deletion.meta.root.className, ...key]));
    cascades.addDeleted(deletion.meta, key);
    links.addDeleted(deletion.meta, key);
  }
  const transaction = em.getTransactionContext();
  if (!transaction) return drafts.toChanges();
  const reader = new StateReader(em, transaction);
  await cascades.read(reader, (meta: EntityMetadata, key: Key) => deleted.has(hashOf([meta.root.className, ...key])));
  for (const { meta, key } of cascades.deleted) links.addDeleted(meta, key);
  await links.read(reader);
  cascades.addTo(drafts);
  links.addTo(drafts);
  return drafts.toChanges();
}
