import { Collection, type EntityProperty, helper, Reference, ReferenceKind } from '@mikro-orm/core';
import { ItemNotLoadedError } from '../errors/item-not-loaded.error.js';

/** What MikroORM's collections have besides what their types say. */
interface OpenCollection extends Omit<Collection<object>, 'property' | 'owner'> {
  readonly owner: object;
  readonly property: EntityProperty;
  /** The very array that the next flush compares with; `undefined` when everything is replaced. */
  getSnapshot(): object[] | undefined;
  validateModification(items: readonly object[]): void;
  checkInitialized(): void;
  propagate(item: object, method: 'remove'): void;
  removeWithoutPropagation(item: object): void;
}

type Given = object | Iterable<object>;

/** Items that are to leave a many-to-many collection which nobody has loaded. */
const leaving = new WeakMap<object, Set<object>>();

const original = {
  add: Collection.prototype.add,
  remove: Collection.prototype.remove,
  hydrate: Collection.prototype.hydrate,
  takeSnapshot: Collection.prototype.takeSnapshot,
};

/**
 * Lets items leave collections that are not loaded, as they may join them. MikroORM 7.2.1 throws: it compares what a
 * collection holds with what it held. To be told what leaves is enough, however large the collection is.
 *
 * Of a many-to-many collection any item may be named; one that is not in there changes nothing. An item of a one-to-many
 * collection has to be loaded, since it alone knows whose it is. Changes what MikroORM's class does; may be called again.
 *
 * @see SQLAlchemy's `WriteOnlyMapped`: add, remove and query, never the whole
 */
export function letUnloadedCollectionsShrink(): void {
  Object.assign(Collection.prototype, {
    remove(this: OpenCollection, first: Given | ((item: object) => boolean), ...others: object[]): number {
      if (this.isInitialized()) return original.remove.call(this as never, first as never, ...(others as never[]));
      // A condition would be asked of the items that have been added, and of none of those in the database.
      if (typeof first === 'function') this.checkInitialized();
      return removeUnloaded(this, toItems(first as Given, others));
    },
    add(this: OpenCollection, first: Given, ...others: object[]): number {
      if (leaving.has(this)) for (const item of toItems(first, others)) stay(this, item);
      return original.add.call(this as never, first as never, ...(others as never[]));
    },
    hydrate(this: OpenCollection, ...given: Parameters<typeof original.hydrate>): void {
      const items = leaving.get(this);
      leaving.delete(this);
      original.hydrate.apply(this as never, given);
      if (items?.size) this.remove([...items] as never);
    },
    takeSnapshot(this: OpenCollection, force?: boolean): void {
      leaving.delete(this);
      original.takeSnapshot.call(this as never, force);
    },
  });
}

function toItems(first: Given, others: readonly object[]): object[] {
  const all = [...(Symbol.iterator in first ? first : [first]), ...others];
  return all.filter(Boolean).map((item) => Reference.unwrapReference(item));
}

function removeUnloaded(collection: OpenCollection, items: readonly object[]): number {
  collection.validateModification(items);
  const isLink = collection.property.kind === ReferenceKind.MANY_TO_MANY;
  return items.filter((item) => (isLink ? unlink(collection, item) : disown(collection, item))).length;
}

/** A flush deletes the links of what the snapshot has and the collection has not. */
function unlink(collection: OpenCollection, item: object): boolean {
  const snapshot = collection.getSnapshot();
  collection.removeWithoutPropagation(item);
  if (snapshot && !snapshot.includes(item)) {
    snapshot.push(item);
    leaving.set(collection, (leaving.get(collection) ?? new Set()).add(item));
  }
  collection.setDirty();
  collection.propagate(item, 'remove');
  return true;
}

/** An item that joins again: whether it was in there is not known, so it is written as one that joins. */
function stay(collection: OpenCollection, item: object): void {
  if (!leaving.get(collection)?.delete(item)) return;
  const snapshot = collection.getSnapshot();
  snapshot?.splice(snapshot.indexOf(item), 1);
}

function disown(collection: OpenCollection, item: object): boolean {
  const { owner, property } = collection;
  if (!helper(item).isInitialized()) {
    throw new ItemNotLoadedError(`${helper(owner).__meta.className}.${property.name}`);
  }
  const own = Reference.unwrapReference(Reflect.get(item, property.mappedBy));
  if (own !== owner && own !== helper(owner).getPrimaryKey()) return false;
  collection.removeWithoutPropagation(item);
  collection.propagate(item, 'remove');
  const em = helper(owner).__em ?? helper(item).__em;
  if (property.orphanRemoval) em?.getUnitOfWork().scheduleOrphanRemoval(item as never);
  else em?.persist(item);
  return true;
}
