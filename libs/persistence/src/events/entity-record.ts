import type { EventManager } from '@mikro-orm/core';
import { type EntityMetadata, EventType, helper, isRaw, Utils } from '@mikro-orm/core';
import type { ChangeKind } from './change.js';
import { type ChangeDraft, toKeyRecord } from './change-drafts.js';
import { hashOf, keyTuple, type ReadState } from './state-reader.js';
import { isKnown, type Snapshot, shapeOf, toValues } from './stored-shape.js';

const NONE: readonly string[] = [];
const NOTHING_WRITTEN: ReadonlySet<string> = new Set();

/** One entity of a flush: what was known of its row before, and what became of it. */
export class EntityRecord {
  readonly meta: EntityMetadata;
  readonly #before: Snapshot;
  readonly #versionBefore: unknown;
  /** Names, as in snapshots, of what the flush is going to write. */
  #written: ReadonlySet<string> = NOTHING_WRITTEN;
  readonly #isWhole: boolean;
  readonly #hasHooks: boolean;
  /** The row, when it had to be read; null when it was not there. */
  #row: ReadState | null | undefined;

  /** @param known  `isWhole`: what the snapshot lacks is null, not "never loaded" */
  constructor(
    readonly entity: object,
    readonly kind: ChangeKind,
    known: { isWhole: boolean; hooks: EventManager },
  ) {
    const wrapped = helper(entity);
    this.meta = wrapped.__meta as EntityMetadata;
    this.#before = (wrapped.__originalEntityData as Snapshot | undefined) ?? {};
    this.#versionBefore = this.#version;
    this.#isWhole = known.isWhole || kind === 'create';
    this.#hasHooks = kind === 'update' && known.hooks.hasListeners(EventType.beforeUpdate, this.meta);
  }

  get hash(): string {
    return hashOf([this.meta.root.className, ...keyTuple(this.entity)]);
  }

  willWrite(names: Iterable<string>): void {
    this.#written = new Set([...this.#written, ...names]);
  }

  /** Whether the old values that the change must show are not all in memory. */
  get isIncomplete(): boolean {
    if (this.#isWhole) return false;
    const { properties, versionName } = shapeOf(this.meta);
    if (versionName && this.#versionBefore === undefined) return true;
    // A hook may write any property, and after the flush it is too late to ask what was there.
    const needsAll = this.kind === 'delete' || this.#hasHooks;
    return properties.some(
      (property) => (needsAll || this.#written.has(property.name)) && !isKnown(property, this.#before),
    );
  }

  takeRow(row: ReadState | undefined): void {
    this.#row = row ?? null;
  }

  /** Whether from now on what the snapshot lacks is null. */
  get isWholeAfterwards(): boolean {
    if (this.kind === 'delete') return false;
    return this.#isWhole || shapeOf(this.meta).properties.every((property) => isKnown(property, this.#before));
  }

  /** Names of properties that hold an SQL expression although they are written. */
  get expressions(): readonly string[] {
    const snapshot = helper(this.entity).__originalEntityData as Snapshot | undefined;
    if (!snapshot) return NONE;
    let names = NONE;
    for (const name in snapshot) {
      const value = snapshot[name];
      if (typeof value === 'object' && value !== null && isRaw(value)) names = [...names, name];
    }
    return names;
  }

  resolveExpressions(row: ReadState | undefined): void {
    const snapshot = helper(this.entity).__originalEntityData as Record<string, unknown>;
    const { properties } = shapeOf(this.meta);
    for (const name of this.expressions) {
      snapshot[name] = row?.snapshot[name];
      const path = properties.find((property) => property.name === name)?.path.split('.') ?? [name];
      const last = path.pop() as string;
      const at = (root: unknown) => path.reduce((value: unknown, step) => Reflect.get(value as object, step), root);
      if (row) Reflect.set(at(this.entity) as object, last, Reflect.get(at(row.entity) as object, last));
    }
  }

  /** The change, or nothing when there was none. */
  toDraft(): ChangeDraft | undefined {
    // The row had gone before the flush came.
    if (this.#row === null) return undefined;
    const { kind } = this;
    const meta = this.#row?.meta ?? this.meta;
    const key = toKeyRecord(meta, keyTuple(this.entity));
    if (kind === 'create') return { kind, meta, key, new: toValues(meta, this.#after, this.#version) };
    const before = this.#row?.snapshot ?? this.#before;
    const versionBefore = this.#row ? this.#row.version : this.#versionBefore;
    if (kind === 'delete') return { kind, meta, key, old: toValues(meta, before, versionBefore) };
    const changed = this.#difference(meta, before, versionBefore);
    return changed && { kind, meta, key, ...changed };
  }

  #difference(
    meta: EntityMetadata,
    before: Snapshot,
    versionBefore: unknown,
  ): Pick<ChangeDraft, 'old' | 'new'> | undefined {
    const after = this.#after;
    const from: Record<string, unknown> = {};
    const to: Record<string, unknown> = {};
    const { properties, versionName } = shapeOf(meta);
    for (const { path, name, toValue } of properties) {
      // What a partly loaded entity neither knew nor wrote is as it was.
      if (!(name in after) && !this.#written.has(name)) continue;
      if (before[name] === after[name] && name in before) continue;
      const [old, now] = [toValue(before[name]), toValue(after[name])];
      if (Utils.equals(old, now)) continue;
      from[path] = old;
      to[path] = now;
    }
    if (Object.keys(to).length === 0) return undefined;
    if (versionName && this.#version !== undefined && versionBefore !== this.#version) {
      from[versionName] = versionBefore;
      to[versionName] = this.#version;
    }
    return { old: from, new: to };
  }

  /** The row as MikroORM remembers it, which once everything is written is as the database has it. */
  get #after(): Snapshot {
    return (helper(this.entity).__originalEntityData as Snapshot | undefined) ?? {};
  }

  get #version(): unknown {
    return this.meta.versionProperty && Reflect.get(this.entity, this.meta.versionProperty);
  }
}
