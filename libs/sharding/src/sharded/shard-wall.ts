import { Cascade, type ChangeSet, ChangeSetType, Reference, type UnitOfWork, Utils, wrap } from '@mikro-orm/core';
import type { Choosers } from '../choosers/choosers.js';
import { CrossShardAssociationError } from '../errors/cross-shard-association.error.js';
import { ReferenceEntityError } from '../errors/reference-entity.error.js';
import { ShardKeyChangedError } from '../errors/shard-key-changed.error.js';
import type { ShardId } from '../registry/shard-definition.js';
import type { ShardChild, ShardChildren } from './shard-children.js';

const UPDATES = new Set([ChangeSetType.UPDATE, ChangeSetType.UPDATE_EARLY]);
const DELETES = new Set([ChangeSetType.DELETE, ChangeSetType.DELETE_EARLY]);

type ShardKeyOf = NonNullable<Choosers['shardKeyOf']>;

/** The part of MikroORM's unit of work that meets every object before it is taken in. */
interface Visits {
  cascade(entity: object, type: Cascade, visited?: Set<object>, options?: object): void;
}

/**
 * Lets a child's unit of work take in objects of its own shard only, along whatever is persisted or removed. MikroORM
 * itself would insert the bare foreign key of another database, or write another shard's object to this one, without an
 * error. Here and not only in `inspectFlush`: an object once taken in would be in the way of every later flush.
 */
export function raiseShardWall(child: ShardChild, children: ShardChildren): void {
  const uow = child.em.getUnitOfWork(false) as unknown as Visits;
  const { cascade } = uow;
  uow.cascade = (entity, type, visited, options) => {
    if (type === Cascade.PERSIST || type === Cascade.REMOVE) {
      // What another shard has lent to a collection here is written, if at all, there.
      if (children.isStray(entity) && children.find(entity) !== child.id) return;
      admit(entity, child, children);
    }
    cascade.call(uow, entity, type, visited, options);
  };
}

/** Refuses an entity of another shard; a new one is chosen for, now. */
function admit(entity: object, child: ShardChild, children: ShardChildren): void {
  const { __em, __initialized, __meta } = wrap(entity, true);
  if (__em === child.em) return;
  // A bare reference that nobody owns yet: whether its key may be here is all that can be said.
  const isBare = !__em && !__initialized;
  const shards = isBare ? holdersOf(entity, child, children) : [children.route(entity)];
  if (!shards.includes(child.id)) throw new CrossShardAssociationError(__meta.className, shards.join(', '), child.id);
}

function holdersOf(reference: object, child: ShardChild, children: ShardChildren): readonly ShardId[] {
  const wrapped = wrap(reference, true);
  const primaryKey = wrapped.getPrimaryKey();
  return primaryKey === null ? [child.id] : children.router.holders(wrapped.__meta, primaryKey as never);
}

/**
 * The second wall, over what a flush is about to write: relations of changed rows, also those that do not cascade, items of
 * collections, shard keys. New objects nobody has asked a chooser about are chosen for, now.
 */
export function inspectFlush(
  uow: UnitOfWork,
  child: ShardChild,
  children: ShardChildren,
  shardKeyOf: ShardKeyOf,
): void {
  for (const changeSet of uow.getChangeSets() as ChangeSet<object>[]) {
    if (children.router.isOnEveryShard(changeSet.meta)) {
      throw new ReferenceEntityError(changeSet.meta.className, 'A unit of work writes one shard');
    }
    if (UPDATES.has(changeSet.type)) refuseKeyChange(changeSet, shardKeyOf);
    if (DELETES.has(changeSet.type)) continue;
    for (const { name } of changeSet.meta.relations) {
      const target = Reference.unwrapReference((changeSet.entity as Record<string, never>)[name]) as unknown;
      if (Utils.isEntity(target)) admit(target as object, child, children);
    }
  }
  for (const collection of uow.getCollectionUpdates()) {
    for (const item of collection.getItems(false)) admit(item, child, children);
  }
}

function refuseKeyChange({ meta, payload, tptChangeSets }: ChangeSet<object>, shardKeyOf: ShardKeyOf): void {
  for (const property of shardKeyOf(meta)) {
    const isChanged = property in payload || tptChangeSets?.some((part) => property in part.payload);
    if (isChanged) throw new ShardKeyChangedError(meta.className, property);
  }
}
