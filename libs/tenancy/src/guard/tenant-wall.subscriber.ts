import {
  type ChangeSet,
  type EntityMetadata,
  type EntityProperty,
  type EventSubscriber,
  type FlushEventArgs,
  Reference,
  type UnitOfWork,
  Utils,
  wrap,
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
}

/**
 * The last look at a flush before it becomes SQL. Whatever way an entity came into the unit of work (a factory, an event,
 * another EntityManager), nothing is written unless the row, the row as it was loaded, and every row it links to belong
 * to the tenant of the context.
 */
export class TenantWallSubscriber implements EventSubscriber {
  /** Gives the tenant to entities made with `new` that the flush will find through relations. */
  beforeFlush({ em, uow }: FlushEventArgs): void {
    const fresh = new NewEntities(em as unknown as TenantBound);
    for (const entity of uow.getPersistStack()) fresh.adopt(entity as Entity);
    for (const entity of uow.getIdentityMap()) fresh.adopt(entity as Entity);
  }

  onFlush({ em, uow }: FlushEventArgs): void {
    if (!hasWork(uow)) return;
    const tenantId = (em as unknown as TenantBound).getTenantId();
    for (const changeSet of uow.getChangeSets()) assertChangeSet(changeSet as AnyChangeSet, tenantId);
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

/** New entities within reach of a unit of work. The tenant is asked for only when there is one to adopt. */
class NewEntities {
  readonly #visited = new Set<Entity>();

  constructor(private readonly em: TenantBound) {}

  /** Gives `entity` its tenant when it is new and has none, and looks on through its relations. */
  adopt(entity: Entity): void {
    const wrapped = wrap(entity, true);
    if (this.#visited.has(entity)) return;
    this.#visited.add(entity);
    if (!wrapped.__managed) this.#fill(entity, wrapped.__meta);
    for (const property of wrapped.__meta.relations) this.#adoptRelated(entity[property.name]);
  }

  #fill(entity: Entity, meta: EntityMetadata): void {
    if (scopeOf(meta).kind === 'owned') entity[TENANT_PROPERTY] ??= this.em.getTenantId();
  }

  #adoptRelated(value: unknown): void {
    if (value == null || typeof value !== 'object') return;
    const items = Utils.isCollection(value) ? value.getItems(false) : [Reference.unwrapReference(value)];
    for (const item of items) {
      // Managed rows are visited from the identity map.
      if (Utils.isEntity(item) && !wrap(item, true).__managed) this.adopt(item as Entity);
    }
  }
}
