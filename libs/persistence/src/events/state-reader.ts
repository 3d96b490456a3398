import { type EntityMetadata, type EntityProperty, helper, LockMode, type Transaction } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { Pivot } from './relation-map.js';
import type { Snapshot } from './stored-shape.js';

/** A primary key in the order of the mapping. */
export type Key = readonly unknown[];

/** A row as the database has it. */
export interface ReadState {
  readonly entity: object;
  /** Mapping of the concrete class, which a reference to a base class does not know. */
  readonly meta: EntityMetadata;
  readonly key: Key;
  readonly snapshot: Snapshot;
  readonly version: unknown;
}

/** One row of a pivot table. */
export interface Link {
  readonly owner: Key;
  readonly item: Key;
}

/** So that a statement stays readable for the server, whatever a flush deletes. */
const KEYS_PER_STATEMENT = 500;

/**
 * Reads rows as they are before a flush changes them, locked (`for update`) where the engine has that, on the
 * transaction of the flush. Uses a fork, so that the unit of work that is being flushed stays untouched.
 */
export class StateReader {
  readonly #fork: SqlEntityManager;

  constructor(entityManager: SqlEntityManager, transaction: Transaction) {
    this.#fork = entityManager.fork({ clear: true });
    this.#fork.setTransactionContext(transaction);
  }

  /** Rows by primary key, under `hashOf(key)`. One statement per class, and per 500 keys. */
  async rows(meta: EntityMetadata, keys: readonly Key[]): Promise<Map<string, ReadState>> {
    const states = await inChunks(keys, (chunk) => this.#find(meta, conditionOf(meta.primaryKeys, chunk)));
    return new Map(states.map((state) => [hashOf(state.key), state]));
  }

  /** Rows whose to-one relation `prop` points at one of `targets`. */
  async referrers(meta: EntityMetadata, prop: EntityProperty, targets: readonly Key[]): Promise<ReadState[]> {
    const names = prop.targetMeta?.primaryKeys ?? [];
    return inChunks(targets, (chunk) => this.#find(meta, { [prop.name]: conditionOf(names, chunk) }));
  }

  /**
   * Rows of a pivot table by the keys of one of its sides.
   * @param others  keys of the other side; default: all
   */
  async links(pivot: Pivot, side: 'owner' | 'item', keys: readonly Key[], others?: readonly Key[]): Promise<Link[]> {
    const [owner, item] = pivot.meta.relations as [EntityProperty, EntityProperty];
    const [own, other] = side === 'owner' ? [owner, item] : [item, owner];
    const rows = others
      ? await inChunks(others, (chunk) =>
          this.#linkRows(pivot, { [own.name]: { $in: [...keys] }, [other.name]: { $in: chunk } }),
        )
      : await inChunks(keys, (chunk) => this.#linkRows(pivot, { [own.name]: { $in: chunk } }));
    return rows.map((row) => ({
      owner: toTuple(Reflect.get(row, owner.name)),
      item: toTuple(Reflect.get(row, item.name)),
    }));
  }

  #linkRows({ meta }: Pivot, where: object): Promise<object[]> {
    const ctx = this.#fork.getTransactionContext();
    // The driver knows no EntityManager, and so no schema of one.
    const options = { ctx, lockMode: LockMode.PESSIMISTIC_WRITE, schema: this.#fork.schema } as const;
    return this.#fork.getDriver().find(meta.class, where, options);
  }

  async #find(meta: EntityMetadata, where: object): Promise<ReadState[]> {
    const lazy = meta.props.filter((prop) => prop.lazy).map((prop) => prop.name);
    const found: object[] = await this.#fork.find(meta.class, where, {
      filters: false,
      lockMode: LockMode.PESSIMISTIC_WRITE,
      populate: lazy as never,
    });
    return found.map(toState);
  }
}

/** A key, and what stands before it, as a string to find it by. */
export function hashOf(key: Key): string {
  return key.join('\u0000');
}

/** The primary key of an entity. */
export function keyTuple(entity: object): Key {
  return helper(entity).__meta.primaryKeys.map((name: string) => Reflect.get(entity, name));
}

function toTuple(stored: unknown): Key {
  return Array.isArray(stored) ? stored : [stored];
}

function toState(entity: object): ReadState {
  const wrapped = helper(entity);
  const meta = wrapped.__meta as EntityMetadata;
  const version = meta.versionProperty && Reflect.get(entity, meta.versionProperty);
  return { entity, meta, key: keyTuple(entity), snapshot: wrapped.__originalEntityData as Snapshot, version };
}

async function inChunks<T>(keys: readonly Key[], read: (chunk: Key[]) => Promise<T[]>): Promise<T[]> {
  const results: T[] = [];
  for (let start = 0; start < keys.length; start += KEYS_PER_STATEMENT) {
    results.push(...(await read(keys.slice(start, start + KEYS_PER_STATEMENT))));
  }
  return results;
}

/** `{ tenantId, id: { $in } }` where all but one part of the keys is the same, as it is within a tenant. */
function conditionOf(names: readonly string[], keys: readonly Key[]): object {
  const [first = []] = keys;
  const toRecord = (key: Key) => Object.fromEntries(names.map((name, index) => [name, key[index]]));
  const varying = names.filter((_, index) => keys.some((key) => key[index] !== first[index]));
  if (varying.length > 1) return { $or: keys.map(toRecord) };
  const last = varying[0] ?? (names.at(-1) as string);
  const index = names.indexOf(last);
  return { ...toRecord(first), [last]: { $in: keys.map((key) => key[index]) } };
}
