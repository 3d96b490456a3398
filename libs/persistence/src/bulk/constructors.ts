import { type EntityMetadata, type EntityProperty, ReferenceKind, Utils } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { InvalidValue } from './invalid-value.js';
import type { SourceRow } from './mapped-column.js';

const parameters = new WeakMap<EntityMetadata, readonly string[]>();

/**
 * Names of the parameters that making an entity takes. A class without a constructor of its own takes those of the class it
 * extends; initialisers compile to `constructor(...args)`, which is none of its own.
 */
export function parametersOf(meta: EntityMetadata): readonly string[] {
  const known = parameters.get(meta) ?? findParameters(meta);
  parameters.set(meta, known);
  return known;
}

/** MikroORM reads the source text of the class. */
function findParameters(meta: EntityMetadata): string[] {
  for (let it: object | null = meta.class; typeof it === 'function'; it = Object.getPrototypeOf(it)) {
    const names: string[] | undefined = Utils.getConstructorParams(it as never);
    if (names && !names.every((name) => name.startsWith('...') && names.length === 1)) return names;
  }
  return [];
}

/** Makes new entities out of rows, managed by nobody, for classes whose constructors have a say in their values. */
export interface EntityMaker {
  /** @throws {InvalidValue} when the constructor throws */
  make(row: SourceRow): SourceRow;
  /** Whether the entity, and not the row, has the last word about a property that the row mentions. */
  decides(property: string): boolean;
}

/**
 * Calls constructors as `em.create` does: a parameter named like a property gets its value, any other one the whole row.
 * `em.create` itself takes some 20 µs, so it is left to parameters that want entities or embeddables made first.
 */
export function createEntityMaker(em: SqlEntityManager, meta: EntityMetadata): EntityMaker {
  const names = parametersOf(meta);
  const properties = meta.properties as Record<string, EntityProperty | undefined>;
  const needsEntityManager = names.some(
    (name) => (properties[name]?.kind ?? ReferenceKind.SCALAR) !== ReferenceKind.SCALAR,
  );
  const fork = needsEntityManager ? em.fork() : undefined;
  const make = fork
    ? (row: SourceRow) => fork.create(meta.class, row as never, { persist: false }) as SourceRow
    : (row: SourceRow) => {
        const given = names.map((name) => (properties[name] ? row[name] : { ...row }));
        return Reflect.construct(meta.class, given) as SourceRow;
      };
  return {
    make(row) {
      try {
        return make(row);
      } catch (cause) {
        throw new InvalidValue(`is refused by its constructor: ${cause instanceof Error ? cause.message : cause}`, {
          cause,
        });
      }
    },
    decides: (property) => fork !== undefined || names.includes(property),
  };
}
