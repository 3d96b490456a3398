import type { Configuration, EntityMetadata, MetadataStorage } from '@mikro-orm/core';
import { isAppendOnly } from '../entities/append-only.decorator.js';
import { ChangeEventsSubscriber } from './change-events.subscriber.js';
import { RelationMap } from './relation-map.js';

/**
 * What writing to a table asks for.
 * - `announced`: somebody wants to know of changes to its rows, or to rows that the database changes along with them
 * - `append-only`: rows are added by `appendRows`, and stay as they are
 */
export type WriteRule = 'announced' | 'append-only';

/**
 * Which tables of an ORM may be written only by what announces its changes. Asked by the guard, which sees every
 * statement; answered from the `ChangeEventsSubscriber` among the configured subscribers.
 */
export class WriteRules {
  readonly #rules = new Map<string, WriteRule>();

  constructor(config: Configuration, storage: MetadataStorage) {
    const metas = [...storage.getAll().values()].filter((meta) => !meta.embeddable && meta.tableName);
    const events = [...config.get('subscribers')].find((it) => it instanceof ChangeEventsSubscriber);
    const announced = events ? findAnnounced(storage, metas, events) : new Set<EntityMetadata>();
    for (const meta of metas) {
      const name = meta.tableName.toLowerCase();
      if (meta.class && isAppendOnly(meta.class)) this.#rules.set(name, 'append-only');
      // Several classes may share a table; what one of them asks for holds for all.
      else if (announced.has(meta.root) || announced.has(meta)) this.#rules.set(name, 'announced');
    }
  }

  /** @param table its name, in any case: some engines do not tell cases apart, and no two tables differ by that alone */
  find(table: string): WriteRule | undefined {
    return this.#rules.get(table.toLowerCase());
  }
}

/**
 * A table is shared by the classes of its hierarchy, a pivot table tells of both its sides, and who deletes a row deletes
 * what goes with it: one wanted class makes the table wanted.
 */
function findAnnounced(
  storage: MetadataStorage,
  metas: readonly EntityMetadata[],
  events: ChangeEventsSubscriber,
): Set<EntityMetadata> {
  const relations = RelationMap.of(storage);
  const wanted = metas.filter((meta) => !meta.pivotTable && events.wants(meta));
  const announced = new Set(wanted.map((meta) => meta.root));
  for (let size = -1; size !== announced.size; ) {
    size = announced.size;
    for (const { root } of metas) {
      if (relations.cascadesFrom(root).some(({ meta }) => announced.has(meta.root))) announced.add(root);
    }
  }
  const pivots = [...announced].flatMap((meta) => [
    ...relations.pivotsWith(meta, 'owner'),
    ...relations.pivotsWith(meta, 'item'),
  ]);
  for (const { meta } of pivots) announced.add(meta);
  return announced;
}
