import { type EntityMetadata, type EntityName, ReferenceKind } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { engineOf } from '../engines/engines.js';
import type { SendOptions } from '../engines/kept-statement.js';
import { KeyFinder, type KeyValues } from './key-finder.js';

/** Two of each entity: for tables where the connection looks, and for those in the schema of an EntityManager. */
type Finders = Readonly<
  Record<'unqualified' | 'inSchema', Map<EntityMetadata, Promise<KeyFinder | undefined> | KeyFinder | undefined>>
>;

/** Protected in MikroORM's types. */
interface Abortable {
  getAbortOptions(): object | undefined;
}

/** By driver, so that they go when the database of a tenant is closed for good. */
const findersOfDrivers = new WeakMap<AbstractSqlDriver, Finders>();

/**
 * Does what `em.findOne(entityName, key)` does, for an eighth of its cost on sqlite and half of it on servers: the SQL of an
 * entity is made once per database, and only the key changes. Called by an EntityManager's own `findOne`, with a call that
 * has no options; services go on writing `em.findOne`.
 *
 * The statement takes the way of every other one: in the transaction when there is one, past session hooks, the guard and
 * the log. It covers the plain case only. Everything else is MikroORM's: rows that are managed already, filters, eager
 * relations, session settings, a global result cache, abort signals. An EntityManager's schema is part of what changes.
 *
 * @param key  every primary key property and nothing else; never from a caller where a part of it names the tenant
 * @param options  how the one statement may be called off
 * @returns the managed entity; `null` when there is no such row; `undefined` when `em.findOne` must be asked instead
 */
export async function findByKey(
  em: SqlEntityManager,
  entityName: EntityName,
  key: unknown,
  options?: SendOptions,
): Promise<object | null | undefined> {
  const context = em.getContext();
  const meta = context.getMetadata().get(entityName);
  if (!isKeyOf(meta, key) || !isPlainRead(context) || isManaged(context, meta, key)) return undefined;
  const found = findFinder(context, meta);
  const finder = found instanceof Promise ? await found : found;
  if (!finder) return undefined;
  await context.tryFlush(entityName, {});
  const filtered = await context.applyFilters(entityName, key as never, {}, 'read');
  return filtered === key ? finder.find(context, key, options) : undefined;
}

function isManaged(em: SqlEntityManager, meta: EntityMetadata, key: KeyValues): boolean {
  const unitOfWork = em.getUnitOfWork(false);
  // Most EntityManagers are new, and to make the text that entities are known by costs more than to look here.
  if (unitOfWork.getIdentityMap().getStore(meta.root).size === 0) return false;
  return Boolean(unitOfWork.tryGetById(meta.class, key as never, em.schema));
}

/** Text and integers only: what else a key may hold is converted or compared in ways of its own. */
function isKeyOf(meta: EntityMetadata, key: unknown): key is KeyValues {
  if (typeof key !== 'object' || key === null) return false;
  const names = Object.keys(key);
  return (
    names.length === meta.primaryKeys.length &&
    meta.primaryKeys.every((name) => isBindable((key as Record<string, unknown>)[name]))
  );
}

function isBindable(value: unknown): boolean {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

/** Whether nothing but the key has a say in what is read, and how. */
function isPlainRead(em: SqlEntityManager): boolean {
  return (
    em.getSessionContext() === undefined &&
    (em as unknown as Abortable).getAbortOptions() === undefined &&
    !em.config.get('disableIdentityMap') &&
    !em.config.get('resultCache').global
  );
}

function findFinder(
  em: SqlEntityManager,
  meta: EntityMetadata,
): Promise<KeyFinder | undefined> | KeyFinder | undefined {
  const driver = em.getDriver();
  const inSchema = em.schema !== undefined;
  let kept = findersOfDrivers.get(driver);
  if (!kept) {
    kept = { unqualified: new Map(), inSchema: new Map() };
    findersOfDrivers.set(driver, kept);
  }
  const finders = inSchema ? kept.inSchema : kept.unqualified;
  if (finders.has(meta)) return finders.get(meta);
  const compiling = isCovered(meta) ? KeyFinder.compile(meta, driver, engineOf(em), inSchema) : undefined;
  finders.set(meta, compiling);
  return compiling?.then((finder) => {
    finders.set(meta, finder);
    return finder;
  });
}

/** Every class of a hierarchy may come out of the read, so each must be plain. */
function isCovered(meta: EntityMetadata): boolean {
  if (meta.virtual || meta.embeddable) return false;
  if (meta.getPrimaryProps().some((key) => key.kind !== ReferenceKind.SCALAR || key.customType)) return false;
  return [meta, ...(meta.allTPTDescendants ?? [])].every(({ props }) =>
    props.every(
      ({ eager, formula, kind, owner }) => !eager && !formula && (kind !== ReferenceKind.ONE_TO_ONE || owner),
    ),
  );
}
