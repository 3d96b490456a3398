import {
  type EntityManager,
  type EntityMetadata,
  type EntityProperty,
  helper,
  type MetadataStorage,
  Reference,
  ReferenceKind,
  WrappedEntity,
} from '@mikro-orm/core';

/**
 * Makes loaded entities cost half. MikroORM 7.2.1 gives each entity functions of its own, two for every property and one
 * for every key of every reference, and each makes the engine describe that one object anew: slow to make, and what was made
 * is kept until the next full garbage collection. Here all entities of a class share them. What they do is the same.
 *
 * Scalar properties need none. They once told that an entity was touched; since version 7 snapshots are compared.
 * Given as `discovery.afterDiscovered`.
 */
export function keepEntitiesLean(storage: MetadataStorage): void {
  const decorate = storage.decorate.bind(storage);
  storage.decorate = (em: EntityManager) => {
    decorate(em);
    for (const meta of storage.getAll().values()) for (const property of meta.props) shareAccessors(meta, property);
  };
}

function shareAccessors({ prototype }: EntityMetadata, { name, kind, mappedBy, inversedBy }: EntityProperty): void {
  const { get, set } = Object.getOwnPropertyDescriptor(prototype ?? {}, name) ?? {};
  // A setter alone is MikroORM's; a pair is the entity's own. The one of a relation with two sides keeps both.
  if (!set || get || mappedBy || inversedBy) return;
  if (kind === ReferenceKind.SCALAR) Reflect.deleteProperty(prototype, name);
  else Object.defineProperty(prototype, name, { set: setterOf(name), configurable: true });
}

/** Defines the property where it is set first, so that it is the entity's own: `Object.keys` shall tell it. */
function setterOf(name: string): (this: object, value: unknown) => void {
  const dataOf = (entity: object) => (helper(entity) as unknown as { __data: Record<string, unknown> }).__data;
  const property: PropertyDescriptor & ThisType<object> = {
    get() {
      return helper(this) && dataOf(this)[name];
    },
    set(value) {
      dataOf(this)[name] = value;
    },
    enumerable: true,
    configurable: true,
  };
  return function define(value) {
    Object.defineProperty(this, name, property);
    dataOf(this)[name] = value;
  };
}

/** Tells MikroORM that an object is a reference, whichever copy of its code has made it. */
const REFERENCE = Symbol.for('@mikro-orm/core/Reference');

const shapes = new WeakMap<EntityMetadata, PropertyDescriptorMap>();

/** What each reference to an entity of the class has of its own: the mark, and its key. */
function shapeOf(meta: EntityMetadata): PropertyDescriptorMap {
  let shape = shapes.get(meta);
  if (!shape) {
    const keys = (meta.primaryKeys as string[]).map((name) => [name, { get: keyReader(name) }] as const);
    shape = { [REFERENCE]: { value: true }, ...Object.fromEntries(keys) };
    shapes.set(meta, shape);
  }
  return shape;
}

function keyReader(name: string) {
  return function read(this: { readonly entity: object }): unknown {
    return Reflect.get(this.entity, name);
  };
}

/** The only place where MikroORM makes references to entities. */
function shareKeysOfReferences(): void {
  const { toReference } = WrappedEntity.prototype;
  WrappedEntity.prototype.toReference = function toLeanReference(this: WrappedEntity<object>) {
    const meta = this.__meta;
    if (this.__reference || meta.serializedPrimaryKey) return toReference.call(this);
    const entity: unknown = Reflect.get(this, 'entity');
    const reference = Object.assign(Object.create(Reference.prototype), { entity, property: undefined });
    this.__reference = Object.defineProperties(reference, shapeOf(meta));
    return this.__reference as never;
  } as typeof toReference;
}

shareKeysOfReferences();
