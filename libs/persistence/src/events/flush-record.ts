import {
  ChangeSetType,
  type Collection,
  type EntityMetadata,
  helper,
  ReferenceKind,
  type Transaction,
  type UnitOfWork,
  Utils,
} from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { CascadeRecord } from './cascade-record.js';
import type { Change, ChangeKind } from './change.js';
import { ChangeDrafts } from './change-drafts.js';
import { EntityRecord } from './entity-record.js';
import { LinkRecord } from './link-record.js';
import { RelationMap } from './relation-map.js';
import { hashOf, type Key, keyTuple, StateReader } from './state-reader.js';

const KINDS: Record<ChangeSetType, ChangeKind> = {
  [ChangeSetType.CREATE]: 'create',
  [ChangeSetType.UPDATE]: 'update',
  [ChangeSetType.UPDATE_EARLY]: 'update',
  [ChangeSetType.DELETE]: 'delete',
  [ChangeSetType.DELETE_EARLY]: 'delete',
};

/**
 * One flush on its way: what is known before it writes (`begin`), what must be read first (`read`), and the changes it
 * made (`complete`). Compares rows before and after instead of reading payloads, so that hooks, versions, the second
 * update of circular references and both tables of class-table inheritance need no cases of their own.
 */
export class FlushRecord {
  readonly #entities = new Map<object, EntityRecord>();
  readonly #links: LinkRecord;
  readonly #cascades: CascadeRecord;

  /**
   * Takes down what is known. Call it when change sets are computed and nothing is written.
   *
   * @param wholeRows  entities whose whole row this process has seen; outlives the flush
   */
  constructor(
    private readonly entityManager: SqlEntityManager,
    unitOfWork: UnitOfWork,
    private readonly wholeRows: WeakSet<object>,
    private readonly wants: (meta: EntityMetadata) => boolean,
  ) {
    const relations = RelationMap.of(entityManager.getMetadata());
    this.#links = new LinkRecord(relations, wants);
    this.#cascades = new CascadeRecord(relations, wants);
    this.#takeChangeSets(unitOfWork);
    this.#takeExtraUpdates(unitOfWork);
    for (const collection of unitOfWork.getCollectionUpdates()) this.#takeCollection(collection as Collection<object>);
  }

  get isEmpty(): boolean {
    return this.#entities.size === 0 && this.#links.isEmpty && this.#cascades.isEmpty;
  }

  /** Whether `read` would ask the database; the usual flush needs nothing. */
  get needsReading(): boolean {
    if (this.#links.needsReading || !this.#cascades.isEmpty) return true;
    for (const record of this.#entities.values()) if (record.isIncomplete) return true;
    return false;
  }

  /** Reads what changes must show and memory does not hold, one statement per class. Before anything is written. */
  async read(transaction: Transaction): Promise<void> {
    const reader = new StateReader(this.entityManager, transaction);
    const incomplete = [...this.#entities.values()].filter((record) => record.isIncomplete);
    for (const [meta, records] of Map.groupBy(incomplete, (record) => record.meta)) {
      const rows = await reader.rows(
        meta,
        records.map((record) => keyTuple(record.entity)),
      );
      for (const record of records) record.takeRow(rows.get(hashOf(keyTuple(record.entity))));
    }
    const deleted = new Set(
      [...this.#entities.values()].flatMap((record) => (record.kind === 'delete' ? [record.hash] : [])),
    );
    await this.#cascades.read(reader, (meta: EntityMetadata, key: Key) =>
      deleted.has(hashOf([meta.root.className, ...key])),
    );
    for (const { meta, key } of this.#cascades.deleted) this.#links.addDeleted(meta, key);
    await this.#links.read(reader);
  }

  /** The changes, once everything is written and nothing is committed. */
  async complete(transaction: Transaction): Promise<Change[]> {
    await this.#resolveExpressions(transaction);
    const drafts = new ChangeDrafts();
    for (const record of this.#entities.values()) {
      const draft = record.toDraft();
      if (draft) drafts.add(draft);
      if (record.isWholeAfterwards) this.wholeRows.add(record.entity);
    }
    this.#cascades.addTo(drafts);
    this.#links.addTo(drafts);
    return drafts.toChanges();
  }

  #takeChangeSets(unitOfWork: UnitOfWork): void {
    for (const changeSet of unitOfWork.getChangeSets()) {
      const { entity, tptChangeSets = [] } = changeSet;
      const meta = helper(entity).__meta as EntityMetadata;
      const kind = KINDS[changeSet.type];
      if (kind === 'delete') {
        this.#links.addDeleted(meta, keyTuple(entity));
        this.#cascades.addDeleted(meta, keyTuple(entity));
      }
      if (!this.wants(meta)) continue;
      const record = this.#take(entity, kind);
      // Only an update leaves out what it does not write.
      if (kind !== 'update') continue;
      for (const { payload } of [changeSet, ...tptChangeSets]) record.willWrite(Object.keys(payload));
    }
  }

  /** Circular references and swapped unique values are written in a second update, outside the change sets. */
  #takeExtraUpdates(unitOfWork: UnitOfWork): void {
    for (const [entity, names, value] of unitOfWork.getExtraUpdates()) {
      if (Utils.isCollection(value)) this.#takeCollection(value as Collection<object>);
      else if (this.wants(helper(entity).__meta as EntityMetadata))
        this.#take(entity, 'update').willWrite([names].flat());
    }
  }

  #takeCollection(collection: Collection<object>): void {
    if (collection.property.kind === ReferenceKind.MANY_TO_MANY) this.#links.add(collection);
    else this.#cascades.add(collection);
  }

  #take(entity: object, kind: ChangeKind): EntityRecord {
    const known = this.#entities.get(entity);
    if (known) return known;
    const hooks = this.entityManager.getEventManager();
    const record = new EntityRecord(entity, kind, { isWhole: this.wholeRows.has(entity), hooks });
    this.#entities.set(entity, record);
    return record;
  }

  /**
   * Puts results in the place of SQL expressions. Where the engine does not hand them back, the entity would keep the
   * expression itself, so it is given its value as well.
   */
  async #resolveExpressions(transaction: Transaction): Promise<void> {
    const open = [...this.#entities.values()].filter((record) => record.expressions.length > 0);
    if (open.length === 0) return;
    const reader = new StateReader(this.entityManager, transaction);
    for (const [meta, records] of Map.groupBy(open, (record) => record.meta)) {
      const rows = await reader.rows(
        meta,
        records.map((record) => keyTuple(record.entity)),
      );
      for (const record of records) record.resolveExpressions(rows.get(hashOf(keyTuple(record.entity))));
    }
  }
}
