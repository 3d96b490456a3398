import { type EntityMetadata, isRaw, Utils, wrap } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { compileCondition, kindsForEvaluation } from '../merge/condition.js';
import { valueKindOf } from '../merge/sort-key.js';

/**
 * Keeps the loaded objects of one child in step with a bulk write that passes them by. Which of them it concerns is
 * evaluated here where the condition allows, else asked before the write: one more statement, and only when objects of
 * that entity are loaded.
 */
export class LoadedObjects {
  constructor(
    private readonly em: SqlEntityManager,
    private readonly meta: EntityMetadata,
  ) {}

  /** The loaded objects that `where` is about. */
  async matching(where: unknown): Promise<object[]> {
    const loaded = this.#loaded();
    if (loaded.length === 0) return [];
    const condition = compileCondition(where, kindsForEvaluation(this.meta, valueKindOf));
    if (condition) return loaded.filter(condition);
    const keys = new Set(await this.#keysOf(where));
    return loaded.filter((entity) => keys.has(wrap(entity, true).getSerializedPrimaryKey()));
  }

  /** Gives the objects their new values without making them dirty; values only the database knows are read back. */
  async update(entities: readonly object[], data: object): Promise<void> {
    if (entities.length === 0) return;
    if (this.meta.versionProperty || !Object.values(data).every(isPlain)) {
      await this.#reread(entities);
      return;
    }
    for (const entity of entities) {
      Object.assign(entity, data);
      const { __originalEntityData } = wrap(entity, true);
      const present = this.em.getComparator().prepareEntity(entity) as Record<string, unknown>;
      for (const name of Object.keys(data)) Object.assign(__originalEntityData ?? {}, { [name]: present[name] });
    }
  }

  /** Forgets objects whose rows are gone. */
  remove(entities: readonly object[]): void {
    for (const entity of entities) this.em.getUnitOfWork(false).unsetIdentity(entity);
  }

  #loaded(): object[] {
    const store = this.em
      .getUnitOfWork(false)
      .getIdentityMap()
      .getStore(this.meta.root as never);
    return [...new Set(store.values() as Iterable<object>)].filter(
      (entity) => entity instanceof (this.meta.class as never) && wrap(entity).isInitialized(),
    );
  }

  async #keysOf(where: unknown): Promise<string[]> {
    const fields = this.meta.primaryKeys as never;
    const reader = this.em.fork({ keepTransactionContext: true, disableContextResolution: true, useContext: false });
    const rows = await reader.find(this.meta.class as never, where as never, { fields, populate: [] } as never);
    return rows.map((row) => wrap(row as object, true).getSerializedPrimaryKey());
  }

  async #reread(entities: readonly object[]): Promise<void> {
    const keys = entities.map((entity) => wrap(entity, true).getPrimaryKey());
    await this.em.find(this.meta.class as never, keys as never, { refresh: true });
  }
}

function isPlain(value: unknown): boolean {
  if (isRaw(value)) return false;
  return value === null || typeof value !== 'object' || value instanceof Date || Utils.isEntity(value);
}
