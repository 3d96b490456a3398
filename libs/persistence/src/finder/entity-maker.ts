import { isDeepStrictEqual } from 'node:util';
import {
  type EntityClass,
  type EntityManager,
  type EntityMetadata,
  EventType,
  helper,
  ReferenceKind,
} from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import type { DriverRow } from '../paging/row-columns.js';
import { createReferenceMaker } from './reference-maker.js';
import { type AliasFinder, createStateReader, type Selection, type StoredState } from './stored-state.js';

/** What MikroORM made of a row. */
export interface MadeByMikroOrm {
  readonly row: DriverRow;
  readonly state: StoredState;
  readonly entity: object;
}

/**
 * Makes managed entities of rows of one concrete class. MikroORM's own factory looks each entity up, copies its data,
 * registers it three times and asks for everything that could be otherwise; here that is asked once for the class. Values
 * become what they are in entities by MikroORM's compiled hydrator, and `find-by-key.spec.ts` compares the outcome with
 * that of `em.findOne`.
 */
export class EntityMaker {
  readonly #primaryKeys: readonly string[];
  readonly #hydrator: ReturnType<EntityManager['config']['getHydrator']>;

  private constructor(
    private readonly meta: EntityMetadata,
    private readonly driver: AbstractSqlDriver,
    private readonly readState: (row: DriverRow) => StoredState,
    em: EntityManager,
  ) {
    this.#primaryKeys = meta.primaryKeys;
    this.#hydrator = em.config.getHydrator(em.getMetadata());
  }

  /**
   * A maker for the class of `made`.
   * @returns `undefined` for a class that asks for more, or when it would not make of this row what MikroORM did
   */
  static learn(
    em: SqlEntityManager,
    selection: Omit<Selection, 'driver'>,
    made: MadeByMikroOrm,
  ): EntityMaker | undefined {
    const driver = em.getDriver() as AbstractSqlDriver;
    // That of the instance which reads: a class points to the one that has discovered it last, for another engine or schemas.
    const meta = em.getMetadata().get(made.entity.constructor as EntityClass<object>) as EntityMetadata;
    if (!isPlain(meta, em)) return undefined;
    const readState = createStateReader({ ...selection, driver: driver as unknown as AliasFinder }, meta, made);
    if (!readState || !isDeepStrictEqual(readState(made.row), made.state)) return undefined;
    return new EntityMaker(meta, driver, readState, em);
  }

  /** The entity; `undefined` when MikroORM has to make it, because it knows of it already or somebody wants to hear. */
  make(em: SqlEntityManager, row: DriverRow): object | undefined {
    const { meta } = this;
    const unitOfWork = em.getUnitOfWork(false);
    const events = em.getEventManager();
    if (events.hasListeners(EventType.onInit, meta)) return undefined;
    const state = this.readState(row);
    const { schema } = em;
    const schemaName = this.driver.getSchemaName(meta, schema === undefined ? {} : { schema });
    if (unitOfWork.getIdentityMap().getStore(meta.root).size > 0) {
      const key = this.#primaryKeys.map((name) => state[name]);
      if (unitOfWork.getById(meta.class, key as never, schemaName)) return undefined;
    }
    const entity = Object.create(meta.prototype) as object;
    const wrapped = helper(entity);
    wrapped.__managed = true;
    wrapped.__processing = true;
    if (schemaName !== undefined) wrapped.__schema = schemaName;
    for (const name of this.#primaryKeys) Reflect.set(entity, name, state[name]);
    unitOfWork.register(entity);
    const references = createReferenceMaker(em);
    this.#hydrator.hydrate(entity, meta, state, references, 'full', false, true, schema, schemaName);
    for (const name of Object.keys(state)) wrapped.__loadedProperties.add(name);
    wrapped.__originalEntityData = state;
    wrapped.__processing = false;
    // Puts it on the list of those to be announced.
    if (events.hasListeners(EventType.onLoad, meta))
      unitOfWork.register(entity, state, { loaded: true, refresh: true });
    return entity;
  }
}

/** Whether MikroORM's factory would do no more for the class than `make`. */
function isPlain(meta: EntityMetadata, { config }: EntityManager): boolean {
  if (config.get('forceEntityConstructor') || config.get('forceUndefined') || meta.forceConstructor) return false;
  return (
    !meta.virtual &&
    !meta.serializedPrimaryKey &&
    meta.props.every((it) => !it.mapToPk && !(it.hydrate === false && it.customType?.ensureComparable(meta, it))) &&
    meta.getPrimaryProps().every(({ kind, customType }) => kind === ReferenceKind.SCALAR && !customType)
  );
}
