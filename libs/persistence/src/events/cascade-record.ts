import { type Collection, type EntityMetadata, type EntityProperty } from '@mikro-orm/core';
import { type ChangeDrafts, toKeyRecord } from './change-drafts.js';
import type { RelationMap } from './relation-map.js';
import { hashOf, type Key, keyTuple, type ReadState, type StateReader } from './state-reader.js';
import { toValues } from './stored-shape.js';

interface DeletedRow {
  readonly meta: EntityMetadata;
  readonly key: Key;
}

/** A one-to-many collection that was replaced without having been loaded: MikroORM clears it by query. */
interface ReplacedCollection {
  readonly meta: EntityMetadata;
  readonly prop: EntityProperty;
  readonly owner: object;
  readonly kept: readonly object[];
  readonly deletes: boolean;
}

/**
 * Rows that a flush changes without having them in its unit of work: what the database deletes or unlinks by its foreign
 * keys, and what MikroORM clears by query. They are read first, since nothing tells of them later.
 */
export class CascadeRecord {
  readonly #roots: DeletedRow[] = [];
  readonly #replaced: ReplacedCollection[] = [];
  readonly #deleted: ReadState[] = [];
  readonly #unlinked: { state: ReadState; prop: EntityProperty }[] = [];

  constructor(
    private readonly relations: RelationMap,
    private readonly wants: (meta: EntityMetadata) => boolean,
  ) {}

  get isEmpty(): boolean {
    return this.#roots.length === 0 && this.#replaced.length === 0;
  }

  /** Rows that go with others, known after `read`. */
  get deleted(): readonly DeletedRow[] {
    return this.#deleted;
  }

  addDeleted(meta: EntityMetadata, key: Key): void {
    if (this.relations.cascadesFrom(meta).length > 0) this.#roots.push({ meta, key });
  }

  add(collection: Collection<object>): void {
    const { property, owner } = collection;
    const meta = property.targetMeta as EntityMetadata;
    if (collection.getSnapshot() !== undefined || !this.wants(meta)) return;
    const prop = meta.properties[property.mappedBy] as EntityProperty;
    this.#replaced.push({
      meta,
      prop,
      owner,
      kept: collection.getItems(false),
      deletes: property.orphanRemoval === true,
    });
  }

  /** @param isDeleted  whether the flush deletes that row itself */
  async read(reader: StateReader, isDeleted: (meta: EntityMetadata, key: Key) => boolean): Promise<void> {
    for (const { meta, prop, owner, kept, deletes } of this.#replaced) {
      const keep = new Set(kept.map((item) => hashOf(keyTuple(item))));
      const rows = await reader.referrers(meta, prop, [keyTuple(owner)]);
      for (const state of rows.filter((row) => !keep.has(hashOf(row.key)))) {
        if (deletes) this.#deleted.push(state);
        else this.#unlinked.push({ state, prop });
      }
    }
    const seen = new Set<string>();
    const isNew = ({ meta, key }: DeletedRow) => {
      const hash = hashOf([meta.root.className, ...key]);
      return !seen.has(hash) && !isDeleted(meta, key) && seen.add(hash);
    };
    let level: DeletedRow[] = [...this.#roots, ...this.#deleted];
    while (level.length > 0) {
      const next: ReadState[] = [];
      for (const [target, rows] of Map.groupBy(level, (row) => row.meta.root)) {
        for (const { meta, prop, rule } of this.relations.cascadesFrom(target)) {
          const found = await reader.referrers(
            meta,
            prop,
            rows.map((row) => row.key),
          );
          const touched = found.filter(rule === 'cascade' ? isNew : (row) => !isDeleted(row.meta, row.key));
          if (rule === 'cascade') next.push(...touched);
          else this.#unlinked.push(...touched.map((state) => ({ state, prop })));
        }
      }
      this.#deleted.push(...next);
      level = next;
    }
  }

  addTo(drafts: ChangeDrafts): void {
    for (const { meta, key, snapshot, version } of this.#deleted) {
      if (!this.wants(meta)) continue;
      drafts.add({ kind: 'delete', meta, key: toKeyRecord(meta, key), old: toValues(meta, snapshot, version) });
    }
    for (const { state, prop } of this.#unlinked) {
      const { meta, key, snapshot, version } = state;
      // The unit of work may have unlinked it, too; its change says so already.
      if (!this.wants(meta) || drafts.find(meta, key)) continue;
      const old = toValues(meta, snapshot, version)[prop.name];
      drafts.add({
        kind: 'update',
        meta,
        key: toKeyRecord(meta, key),
        old: { [prop.name]: old },
        new: { [prop.name]: null },
      });
    }
  }
}
