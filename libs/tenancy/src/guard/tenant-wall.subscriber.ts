import {
  type ChangeSet,
  type EntityMetadata,
  type EntityProperty,
  type EventSubscriber,
  type FlushEventArgs,
  type UnitOfWork,
  Utils,
} from '@mikro-orm/core';
import { findSystemFrame } from '#libs/persistence';
import { ForeignTenantError } from './errors/foreign-tenant.error.js';
import { OperationRefusedError } from './errors/operation-refused.error.js';
import { assertOwn } from './tenant-completion.js';
import { isToOne, scopeOf, TENANT_PROPERTY } from './tenant-scope.js';

type Entity = Record<string, unknown>;
type AnyChangeSet = ChangeSet<Entity>;

/** What the wall needs of the EntityManager that flushes. */
export interface TenantBound {
  /** The tenant of the context, which must be the one this EntityManager works for. */
  getTenantId(): string;
  /** The schema it works in, if the tenant has one of its own. */
  readonly schema: string | undefined;
  readonly config: { getSchema(): string | undefined };
}

/**
 * The last look at a flush before it becomes SQL. Whatever way an entity came into the unit of work (a factory, an event,
 * another EntityManager), nothing is written unless the row, the row as it was loaded, and every row it links to belong
 * to the tenant of the context.
 */
export class TenantWallSubscriber implements EventSubscriber {
  onFlush({ em, uow }: FlushEventArgs): void {
    if (!hasWork(uow)) return;
    const bound = em as unknown as TenantBound;
    const tenantId = bound.getTenantId();
    const own = bound.schema ?? bound.config.getSchema();
    for (const changeSet of uow.getChangeSets()) {
      assertChangeSet(changeSet as AnyChangeSet, tenantId);
      assertSchema(changeSet as AnyChangeSet, own);
    }
    for (const entity of uow.getRemoveStack()) assertOwn(entity, tenantId, 'flush');
    for (const collection of uow.getCollectionUpdates()) {
      const name = `flush: ${collection.property.name}`;
      assertOwn(collection.owner, tenantId, name);
      for (const item of collection.getItems(false)) assertOwn(item, tenantId, name);
      for (const item of collection.getSnapshot() ?? []) assertOwn(item, tenantId, name);
    }
    for (const [entity, , values] of uow.getExtraUpdates()) {
      assertOwn(entity, tenantId, 'flush');
      for (const value of [values].flat()) if (Utils.isEntity(value, true)) assertOwn(value, tenantId, 'flush');
    }
  }
}

function hasWork(uow: UnitOfWork): boolean {
  return (
    uow.getChangeSets().length > 0 ||
    uow.getRemoveStack().size > 0 ||
    uow.getCollectionUpdates().length > 0 ||
    uow.getExtraUpdates().size > 0
  );
}

/** An entity remembers the schema it was loaded from, and would be written back there whatever flushes it. */
function assertSchema({ schema, meta }: AnyChangeSet, own: string | undefined): void {
  const fixed = meta.root.schema === '*' ? undefined : meta.root.schema;
  if (schema === undefined || schema === '*' || schema === own || schema === fixed) return;
  throw new ForeignTenantError(meta.className, 'flush');
}

function assertChangeSet(changeSet: AnyChangeSet, tenantId: string): void {
  const { entity, meta, originalEntity } = changeSet;
  const scope = scopeOf(meta);
  if (scope.kind === 'shared') {
    assertSharedWritable(meta);
    return;
  }
  assertOwn(entity, tenantId, 'flush');
  const before = originalEntity?.[TENANT_PROPERTY];
  if (before !== undefined && before !== tenantId) throw new ForeignTenantError(meta.className, 'flush');
  for (const part of [changeSet, ...((changeSet.tptChangeSets ?? []) as AnyChangeSet[])]) assertLinks(part, tenantId);
}

/** To-one relations that this change writes. Their columns share the tenant's, so a foreign one would move the row. */
function assertLinks({ entity, meta, payload }: AnyChangeSet, tenantId: string): void {
  for (const property of meta.relations as EntityProperty[]) {
    if (!(property.name in payload) || !isToOne(property)) continue;
    const link = entity[property.name];
    if (link != null) assertOwn(link, tenantId, `flush: ${meta.className}.${property.name}`);
  }
}

function assertSharedWritable(meta: EntityMetadata): void {
  if (findSystemFrame() !== undefined) return;
  throw new OperationRefusedError(
    `Writing ${meta.className}`,
    'its rows are shared by all tenants of the database',
    'Change shared rows in a migration or a seeder.',
  );
}
