import {
  type EntityFactory,
  type EntityMetadata,
  type EntityName,
  EventType,
  helper,
  ReferenceKind,
} from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';

type Options = Parameters<EntityFactory['createReference']>[2];

const plainTargets = new WeakMap<EntityMetadata, boolean>();

/**
 * MikroORM's factory, as its hydrator sees it, with a shorter way to references of entities that are not known yet. The
 * longer one makes a reference as it makes an entity: looked up twice, registered three times.
 */
export function createReferenceMaker(em: SqlEntityManager): EntityFactory {
  return new ReferenceMaker(em) as unknown as EntityFactory;
}

class ReferenceMaker {
  readonly #factory: EntityFactory;

  constructor(private readonly em: SqlEntityManager) {
    this.#factory = em.getEntityFactory();
  }

  create(...args: Parameters<EntityFactory['create']>): object {
    return this.#factory.create(...args);
  }

  createEmbeddable(...args: Parameters<EntityFactory['createEmbeddable']>): object {
    return this.#factory.createEmbeddable(...args);
  }

  createReference(entityName: EntityName, key: unknown, options: Options): object {
    const { em } = this;
    const meta = em.getMetadata().get(entityName);
    const unitOfWork = em.getUnitOfWork(false);
    if (!isPlainTarget(meta, key) || options?.key || em.getEventManager().hasListeners(EventType.onInit, meta)) {
      return this.#factory.createReference(entityName, key as never, options);
    }
    const driver = em.getDriver() as AbstractSqlDriver;
    const schemaName = driver.getSchemaName(meta, options?.schema === undefined ? {} : { schema: options.schema });
    const known =
      unitOfWork.getIdentityMap().getStore(meta.root).size > 0 &&
      unitOfWork.getById(entityName, key as never, schemaName, true);
    if (known) return known;
    const reference = Object.create(meta.prototype) as object;
    const wrapped = helper(reference);
    if (schemaName !== undefined) wrapped.__schema = schemaName;
    wrapped.__initialized = false;
    const values: Record<string, unknown> = {};
    for (const [at, name] of (meta.primaryKeys as string[]).entries()) {
      values[name] = key[at];
      Reflect.set(reference, name, key[at]);
      wrapped.__loadedProperties.add(name);
    }
    unitOfWork.register(reference);
    wrapped.__originalEntityData = values;
    return reference;
  }
}

function isPlainTarget(meta: EntityMetadata, key: unknown): key is readonly unknown[] {
  if (!Array.isArray(key) || key.length !== meta.primaryKeys.length) return false;
  let plain = plainTargets.get(meta);
  if (plain === undefined) {
    plain =
      !meta.forceConstructor &&
      !meta.serializedPrimaryKey &&
      meta.root.inheritanceType === undefined &&
      meta.getPrimaryProps().every(({ kind, customType }) => kind === ReferenceKind.SCALAR && !customType);
    plainTargets.set(meta, plain);
  }
  return plain;
}
