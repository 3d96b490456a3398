import { type EntityMetadata, type EntityProperty, type MetadataStorage, ReferenceKind } from '@mikro-orm/core';

/** One pivot table. Classes are roots: links know rows, not kinds. */
export interface Pivot {
  readonly meta: EntityMetadata;
  /** Property of the owning side; its name stands for the pivot table in a change. */
  readonly prop: EntityProperty;
  readonly owner: EntityMetadata;
  readonly item: EntityMetadata;
}

/** A foreign key by which the database itself reaches rows when their target is deleted. */
export interface CascadingReference {
  readonly meta: EntityMetadata;
  readonly prop: EntityProperty;
  readonly target: EntityMetadata;
  readonly rule: 'cascade' | 'set null';
}

/** What deleting or linking a row of one class may touch elsewhere. Worked out once per mapping. */
export class RelationMap {
  static readonly #maps = new WeakMap<MetadataStorage, RelationMap>();

  readonly #pivots = new Map<string, Pivot>();
  readonly #references: CascadingReference[] = [];

  private constructor(storage: MetadataStorage) {
    const metas = [...storage.getAll().values()].filter((meta) => !meta.pivotTable && !meta.embeddable);
    for (const meta of metas) {
      for (const prop of meta.relations) this.#add(storage, meta, prop);
    }
  }

  static of(storage: MetadataStorage): RelationMap {
    const map = RelationMap.#maps.get(storage) ?? new RelationMap(storage);
    RelationMap.#maps.set(storage, map);
    return map;
  }

  pivotOf(prop: EntityProperty): Pivot | undefined {
    return this.#pivots.get(prop.pivotTable);
  }

  /**
   * Pivot tables with rows of `meta` on the given side. Compared by class: an entity's own mapping is that of the ORM which
   * discovered its class last, and a process may hold several.
   */
  pivotsWith(meta: EntityMetadata, side: 'owner' | 'item'): Pivot[] {
    return [...this.#pivots.values()].filter((pivot) => pivot[side].class === meta.root.class);
  }

  /** Foreign keys to rows of `meta` that the database follows on delete. */
  cascadesFrom(meta: EntityMetadata): CascadingReference[] {
    return this.#references.filter(({ target }) => target.root.class === meta.root.class);
  }

  #add(storage: MetadataStorage, meta: EntityMetadata, prop: EntityProperty): void {
    const target = prop.targetMeta;
    if (!target) return;
    if (prop.kind === ReferenceKind.MANY_TO_MANY && prop.owner) {
      this.#pivots.set(prop.pivotTable, {
        meta: storage.get(prop.pivotEntity),
        prop,
        owner: meta.root,
        item: target.root,
      });
      return;
    }
    const isOwning = prop.kind === ReferenceKind.MANY_TO_ONE || (prop.kind === ReferenceKind.ONE_TO_ONE && prop.owner);
    // Kinds repeat what their root declares.
    const isRepeated = meta.root !== meta && meta.root.properties[prop.name] !== undefined;
    if (!isOwning || isRepeated || prop.createForeignKeyConstraint === false) return;
    const rule = (['cascade', 'set null'] as const).find((name) => name === prop.deleteRule);
    if (rule) this.#references.push({ meta, prop, target, rule });
  }
}
