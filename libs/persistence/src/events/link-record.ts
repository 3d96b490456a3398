import { type Collection, type EntityMetadata, helper } from '@mikro-orm/core';
import { type ChangeDrafts, toKeyRecord } from './change-drafts.js';
import type { Pivot, RelationMap } from './relation-map.js';
import { hashOf, type Key, keyTuple, type Link, type StateReader } from './state-reader.js';
import { toKey } from './stored-shape.js';

type Side = 'owner' | 'item';

/** A many-to-many collection as the flush finds it, on either side. */
interface CollectionRecord {
  readonly pivot: Pivot;
  readonly side: Side;
  readonly entity: object;
  readonly items: readonly object[];
  /** What it held before, when that is known. */
  readonly before: readonly object[] | undefined;
  /** Items that leave a collection that nobody loaded, if they are in there; `undefined`: all that are not in `items` go. */
  readonly leaving: readonly object[] | undefined;
  /** Owners that are references by a base class: which kind they are, only their row can tell. */
  readonly unclassified: ReadonlySet<object>;
}

/** What happens to the links of one owner in one pivot table. Maps, since both sides may report the same link. */
interface OwnerLinks {
  readonly pivot: Pivot;
  readonly owner: Key;
  readonly added: Map<string, Key>;
  readonly removed: Map<string, Key>;
}

/**
 * The many-to-many side of a flush. MikroORM writes pivot tables without events, and remembers nothing of a collection
 * that was not loaded, so that is read; so are the links that go with a deleted row.
 */
export class LinkRecord {
  readonly #collections: CollectionRecord[] = [];
  readonly #deleted: { meta: EntityMetadata; key: Key }[] = [];
  readonly #links = new Map<CollectionRecord, Link[]>();
  readonly #lost: { pivot: Pivot; links: Link[] }[] = [];
  /** Concrete classes of owners that a reference knows by their base class. */
  readonly #classes = new Map<string, EntityMetadata>();

  constructor(
    private readonly relations: RelationMap,
    private readonly wants: (meta: EntityMetadata) => boolean,
  ) {}

  get isEmpty(): boolean {
    return this.#collections.length === 0 && this.#deleted.length === 0;
  }

  get needsReading(): boolean {
    return (
      this.#deleted.length > 0 || this.#collections.some((record) => !record.before || record.unclassified.size > 0)
    );
  }

  add(collection: Collection<object>): void {
    const pivot = this.relations.pivotOf(collection.property);
    if (!pivot || !this.wants(pivot.owner)) return;
    const snapshot = collection.getSnapshot();
    const isKnown = collection.isInitialized() && snapshot !== undefined;
    const side = collection.property.owner ? 'owner' : 'item';
    const items = collection.getItems(false);
    const isPart = !isKnown && snapshot !== undefined;
    const owners = side === 'owner' ? [collection.owner] : items;
    this.#collections.push({
      pivot,
      side,
      entity: collection.owner,
      items,
      before: isKnown ? [...snapshot] : undefined,
      leaving: isPart ? snapshot.filter((item) => !items.includes(item)) : undefined,
      unclassified: new Set(owners.filter(isOfUnknownClass)),
    });
  }

  /** A row that goes, and its links with it. */
  addDeleted(meta: EntityMetadata, key: Key): void {
    const sides = ['owner', 'item'] as const;
    const pivots = sides.flatMap((side) => this.relations.pivotsWith(meta, side));
    if (pivots.some((pivot) => this.wants(pivot.owner))) this.#deleted.push({ meta, key });
  }

  async read(reader: StateReader): Promise<void> {
    for (const record of this.#collections) {
      if (record.before) continue;
      // However large the collection is, only links that may change are of interest.
      const others = record.leaving && [...record.items, ...record.leaving].map(keyTuple);
      this.#links.set(record, await reader.links(record.pivot, record.side, [keyTuple(record.entity)], others));
    }
    for (const [meta, rows] of Map.groupBy(this.#deleted, (row) => row.meta.root)) {
      for (const side of ['owner', 'item'] as const) {
        for (const pivot of this.relations.pivotsWith(meta, side)) {
          if (!this.wants(pivot.owner)) continue;
          const keys = rows.map((row) => row.key);
          this.#lost.push({ pivot, links: await reader.links(pivot, side, keys) });
        }
      }
    }
    await this.#readClasses(reader);
  }

  /** Puts links into the change of their owner, or into one of their own when nothing else about the owner changed. */
  addTo(drafts: ChangeDrafts): void {
    this.#classifyKnown();
    for (const { pivot, owner, added, removed } of this.#owners()) {
      if (added.size === 0 && removed.size === 0) continue;
      const meta = this.#classes.get(hashOf([pivot.owner.className, ...owner])) ?? pivot.owner;
      const draft =
        drafts.find(meta, owner) ??
        drafts.add({ kind: 'update', meta, key: toKeyRecord(meta, owner), old: {}, new: {} });
      const toKeys = (keys: Map<string, Key>) => [...keys.values()].map((key) => toKey(pivot.item, key));
      draft.collections = {
        ...draft.collections,
        [pivot.prop.name]: { added: toKeys(added), removed: toKeys(removed) },
      };
    }
  }

  #owners(): Iterable<OwnerLinks> {
    const owners = new Map<string, OwnerLinks>();
    const of = (pivot: Pivot, owner: Key) => {
      const hash = hashOf([pivot.meta.className, ...owner]);
      const links = owners.get(hash) ?? { pivot, owner, added: new Map(), removed: new Map() };
      owners.set(hash, links);
      return links;
    };
    for (const record of this.#collections) {
      const { added, removed } = this.#difference(record);
      for (const { owner, item } of added) of(record.pivot, owner).added.set(hashOf(item), item);
      for (const { owner, item } of removed) of(record.pivot, owner).removed.set(hashOf(item), item);
    }
    for (const { pivot, links } of this.#lost) {
      for (const { owner, item } of links) of(pivot, owner).removed.set(hashOf(item), item);
    }
    return owners.values();
  }

  #difference(record: CollectionRecord): { added: Link[]; removed: Link[] } {
    const { side, entity, items, before, leaving } = record;
    const own = keyTuple(entity);
    const toLink = (other: object): Link =>
      side === 'owner' ? { owner: own, item: keyTuple(other) } : { owner: keyTuple(other), item: own };
    const hash = ({ owner, item }: Link) => hashOf([...owner, ...item]);
    const old = new Map((before?.map(toLink) ?? this.#links.get(record) ?? []).map((link) => [hash(link), link]));
    const now = new Map(items.map(toLink).map((link) => [hash(link), link]));
    const gone = leaving && new Set(leaving.map(toLink).map(hash));
    return {
      added: [...now].flatMap(([key, link]) => (old.has(key) ? [] : [link])),
      removed: [...old].flatMap(([key, link]) => ((gone ? gone.has(key) : !now.has(key)) ? [link] : [])),
    };
  }

  async #readClasses(reader: StateReader): Promise<void> {
    const unknown = new Map<EntityMetadata, Map<string, Key>>();
    const ask = (pivot: Pivot, key: Key) => {
      if (!pivot.owner.root.inheritanceType) return;
      const keys = unknown.get(pivot.owner) ?? new Map<string, Key>();
      unknown.set(pivot.owner, keys.set(hashOf(key), key));
    };
    for (const record of this.#collections) {
      for (const owner of record.unclassified) ask(record.pivot, keyTuple(owner));
      if (record.side === 'item') for (const { owner } of this.#links.get(record) ?? []) ask(record.pivot, owner);
    }
    for (const { pivot, links } of this.#lost) for (const { owner } of links) ask(pivot, owner);
    for (const [meta, keys] of unknown) {
      for (const row of (await reader.rows(meta, [...keys.values()])).values()) {
        this.#classes.set(hashOf([meta.className, ...row.key]), row.meta);
      }
    }
  }

  #classifyKnown(): void {
    for (const { pivot, side, entity, items, before = [], unclassified } of this.#collections) {
      for (const owner of side === 'owner' ? [entity] : [...items, ...before]) {
        if (unclassified.has(owner)) continue;
        this.#classes.set(hashOf([pivot.owner.className, ...keyTuple(owner)]), helper(owner).__meta as EntityMetadata);
      }
    }
  }
}

function isOfUnknownClass(entity: object): boolean {
  const { __meta: meta, __initialized: isLoaded } = helper(entity);
  return !isLoaded && meta.root.inheritanceType !== undefined;
}
