import {
  type EntityClass,
  type EntityMetadata,
  type EntityName,
  type FilterQuery,
  type Primary,
  Utils,
} from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { bulkInsert } from '#libs/persistence';
import { placingPropertyOf } from '../choosers/shard-key.choosers.js';
import { ReferenceEntityError } from '../errors/reference-entity.error.js';
import { ShardKeyChangedError } from '../errors/shard-key-changed.error.js';
import { ShardNotChosenError } from '../errors/shard-not-chosen.error.js';
import type { ShardId } from '../registry/shard-definition.js';
import { primaryKeyOf } from '../routing/router.js';
import { standIn } from '../routing/stand-in.js';
import type { CallOff, ShardScope } from '../sharded/shard-scope.js';
import type { ShardCallOptions, ShardedExecuteOptions, ShardedWriteOptions } from '../sharded/sharded-options.js';
import { LoadedObjects } from './loaded-objects.js';

type Name = EntityName<object>;
type Where = FilterQuery<object>;

/** The rows of one shard, and where they stood among those that were given. */
interface Batch {
  readonly rows: object[];
  readonly indexes: number[];
}

/** The writes of a sharded EntityManager that pass the unit of work by, and raw SQL. */
export class ShardedWriter {
  constructor(private readonly scope: ShardScope) {}

  async nativeUpdate(entityName: Name, where: Where, data: object, options: ShardedWriteOptions): Promise<number> {
    const meta = this.scope.metadata(entityName);
    const { choosers } = this.scope.options;
    const key = choosers.shardKeyOf?.(meta).find((property) => property in data);
    if (key) throw new ShardKeyChangedError(meta.className, key);
    return this.#writeEach('update', meta, where, options, async (objects, write) => {
      const matching = await objects.matching(where);
      const count = await write((em, own) => em.nativeUpdate(entityName, where, data as never, own));
      await objects.update(matching, data);
      return count;
    });
  }

  async nativeDelete(entityName: Name, where: Where, options: ShardedWriteOptions): Promise<number> {
    const meta = this.scope.metadata(entityName);
    return this.#writeEach('delete', meta, where, options, async (objects, write) => {
      const matching = await objects.matching(where);
      const count = await write((em, own) => em.nativeDelete(entityName, where, own));
      objects.remove(matching);
      return count;
    });
  }

  /** Each row on its shard, one batch per shard; primary keys in the order of `rows`. */
  async insertMany(
    entityName: Name,
    rows: readonly object[],
    options: ShardedWriteOptions,
  ): Promise<Primary<object>[]> {
    const meta = this.scope.metadata(entityName);
    const { shards, batches } = this.#batchesOf(meta, rows, options);
    const keys = new Array<Primary<object>>(rows.length);
    await this.#write(shards, options, () =>
      this.scope.write(
        shards,
        async (em, callOff, id) => {
          const batch = batches.get(id) as Batch;
          const inserted = await revocably(em, callOff, (own) => own.insertMany(entityName, batch.rows as never));
          // MikroORM tells the keys that the database assigned; of those that were given it knows the last.
          for (const [position, row] of batch.rows.entries()) {
            const key = primaryKeyOf(meta, keyPart(meta, row)) ?? (inserted[position] as Primary<object>);
            keys[batch.indexes[position] as number] = key;
          }
        },
        options,
      ),
    );
    return keys;
  }

  /** Each row on its shard, by the engine's own bulk statement. */
  async bulkInsert(
    entity: EntityClass<object>,
    rows: readonly object[],
    options: ShardedWriteOptions,
  ): Promise<number> {
    const meta = this.scope.metadata(entity);
    const { shards, batches } = this.#batchesOf(meta, rows, options);
    const results = await this.#write(shards, options, () =>
      this.scope.write(
        shards,
        // Several statements, which are to know of the call's end one and all.
        (em, callOff, id) => bulkInsert(em.fork({ ...BESIDE, ...callOff }), entity, (batches.get(id) as Batch).rows),
        options,
      ),
    );
    return this.#total(
      meta,
      results.map(({ inserted }) => inserted),
    );
  }

  /** Raw SQL: on the pinned shard, or a plain `select` on all that the chooser names, rows in the order of shards. */
  async execute(sql: string, params: readonly unknown[], options: ShardedExecuteOptions): Promise<unknown> {
    const isPinned = options.shard !== undefined || this.scope.options.pinned !== undefined;
    if (!isPinned && !/^\s*select\b/i.test(sql)) {
      throw new ShardNotChosenError('A raw statement that is not a SELECT is sent to one shard only.');
    }
    const { shards } = await this.scope.route({ kind: 'raw', sql }, options);
    const method = options.method ?? 'all';
    const results = await this.scope.ask(
      shards,
      (em, callOff) => em.execute(sql, [...params] as never, { method, ...callOff }),
      options,
    );
    return method === 'all' ? results.flat() : results[0];
  }

  /** Rows by shard, and the shards in configured order. */
  #batchesOf(meta: EntityMetadata, rows: readonly object[], options: ShardCallOptions) {
    this.scope.unitOfWork.assertUsable();
    const batches = new Map<ShardId, Batch>();
    const place = (id: ShardId, row: object, index: number) => {
      let batch = batches.get(id);
      if (!batch) {
        batch = { rows: [], indexes: [] };
        batches.set(id, batch);
      }
      batch.rows.push(row);
      batch.indexes.push(index);
    };
    if (this.scope.router.isOnEveryShard(meta)) {
      rows.forEach((row, index) => {
        for (const id of this.#shardsOfCopies(row, meta, options)) place(id, row, index);
      });
    } else {
      const shardOf = this.#shardsOfNew(meta, options);
      rows.forEach((row, index) => {
        place(shardOf(row), row, index);
      });
    }
    return { batches, shards: this.scope.options.registry.ids.filter((id) => batches.has(id)) };
  }

  #shardsOfCopies(row: object, meta: EntityMetadata, options: ShardCallOptions): readonly ShardId[] {
    this.scope.router.assertWritesAllCopies(meta, options.shard);
    if (primaryKeyOf(meta, keyPart(meta, row)) !== undefined) return this.scope.options.registry.ids;
    throw new ReferenceEntityError(meta.className, 'Each database would choose another key');
  }

  /** Rows written, where each copy of one counts once. */
  #total(meta: EntityMetadata, counts: readonly number[]): number {
    return this.scope.router.isOnEveryShard(meta) ? (counts[0] ?? 0) : counts.reduce((sum, count) => sum + count, 0);
  }

  #shardsOfNew(meta: EntityMetadata, { shard }: ShardCallOptions): (row: object) => ShardId {
    const { router, children, options } = this.scope;
    if (shard !== undefined) {
      const pinned = router.pin(shard);
      return () => pinned;
    }
    const choose = router.ofEachNew(meta);
    // Where the chooser looks at nothing else the row itself will do: a stand-in costs more than to choose.
    const key = placingPropertyOf(options.choosers.shardChooser, meta);
    return (row) => {
      if (Utils.isEntity(row)) return children.route(row);
      const isPlain = key !== undefined && Object.hasOwn(row, key);
      return choose(isPlain ? row : standIn(meta, row));
    };
  }

  async #writeEach(
    kind: 'update' | 'delete',
    meta: EntityMetadata,
    where: unknown,
    options: ShardedWriteOptions,
    work: (objects: LoadedObjects, write: Write) => Promise<number>,
  ): Promise<number> {
    this.scope.router.assertWritesAllCopies(meta, options.shard);
    const { shards } = await this.scope.route({ kind, meta, where }, options);
    // Objects are compared with the condition as they are in memory, so what is dirty has to be written first.
    if (this.scope.children.opened().length > 0) await this.scope.unitOfWork.flush(this.scope.transaction(options));
    const { shard: _shard, deadlineMs: _deadlineMs, mode: _mode, homeShard: _homeShard, ...own } = options;
    const counts = await this.#write(shards, options, () =>
      this.scope.write(
        shards,
        (em, callOff) =>
          work(new LoadedObjects(em, meta), (send) => revocably(em, callOff, (it) => send(it, own as never))),
        options,
      ),
    );
    return this.#total(meta, counts);
  }

  #write<T>(shards: readonly ShardId[], options: ShardedWriteOptions, fn: () => Promise<T>): Promise<T> {
    return this.scope.unitOfWork.write(shards, this.scope.transaction(options), fn);
  }
}

/** The primary key columns of a row; one that is missing makes it no key. */
function keyPart(meta: EntityMetadata, row: object): object {
  return Object.fromEntries(meta.primaryKeys.map((name) => [name, (row as Record<string, unknown>)[name]]));
}

/** Of the same transaction, and knowing no entities. */
const BESIDE = {
  clear: true,
  keepTransactionContext: true,
  disableContextResolution: true,
  useContext: false,
} as const;

type Write = (send: (em: SqlEntityManager, options: never) => Promise<number>) => Promise<number>;

/**
 * Sends a write that leaves nothing when it is called off. Alone it might be done before its server hears of that, and after
 * its caller was told that it is late; in a transaction it is rolled back. SQLite does it at once, or has not begun.
 */
function revocably<T>(em: SqlEntityManager, callOff: CallOff, send: (em: SqlEntityManager) => Promise<T>): Promise<T> {
  const own = em.fork({ ...BESIDE, ...callOff });
  const isAlone = !em.isInTransaction() && callOff.inflightQueryAbortStrategy !== undefined;
  return isAlone ? own.transactional(send, { clear: true }) : send(own);
}
