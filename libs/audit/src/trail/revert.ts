import {
  type Collection,
  type EntityClass,
  type EntityMetadata,
  type EntityProperty,
  LockMode,
  ReferenceKind,
} from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { bulkInsert } from '#libs/persistence';
import { type RevertConflict, RevertConflictError } from '../errors/revert-conflict.error.js';
import type { EntityState } from './entity-version.js';
import { fromRecorded, nest } from './recorded-value.js';

type Row = Record<string, unknown>;

/** What putting an old version back would do, or has done. */
export interface RevertResult {
  /** Properties that get other values than they have. */
  readonly restored: readonly string[];
  /** Left as they are: secret ones, whose value the trail does not know, and ones that the class no longer has. */
  readonly skipped: readonly string[];
  /** Whether the entity had been deleted, and is there again. */
  readonly undeleted: boolean;
}

/** Puts an old state back, on the transaction of an EntityManager. */
export class Revert {
  readonly #meta: EntityMetadata;
  readonly #restored: string[] = [];
  readonly #skipped: string[] = [];
  readonly #conflicts: RevertConflict[] = [];
  /** Values as the entity shall hold them, by path. */
  readonly #values: Row = {};

  constructor(
    private readonly em: SqlEntityManager,
    private readonly id: string,
    private readonly target: EntityState,
    private readonly now: EntityState,
  ) {
    const meta = [...em.getMetadata().getAll().values()].find(({ className }) => className === target.entityName);
    if (!meta)
      throw new RevertConflictError(target.version, [
        { property: 'type', detail: `${target.entityName} is no class any more.` },
      ]);
    this.#meta = meta;
  }

  /**
   * @throws {RevertConflictError} with every conflict, before anything is written
   */
  async run({ dryRun }: { readonly dryRun: boolean }): Promise<RevertResult> {
    const entity = await this.em.findOne(this.#meta.class, { id: this.id } as never, {
      lockMode: LockMode.PESSIMISTIC_WRITE,
    });
    if (!this.target.exists) this.#conflict('', 'At that version it was deleted. Delete it instead.');
    this.#plan(entity);
    await this.#findMissing();
    await this.#findTaken();
    if (this.#conflicts.length > 0) throw new RevertConflictError(this.target.version, this.#conflicts);
    if (!dryRun) await this.#write(entity);
    return { restored: this.#restored, skipped: this.#skipped, undeleted: entity === null };
  }

  #conflict(property: string, detail: string): void {
    this.#conflicts.push({ property, detail });
  }

  #plan(entity: object | null): void {
    this.#skipped.push(...this.target.withheld);
    for (const path of entity ? [] : this.target.withheld) {
      const prop = findProperty(this.#meta, path);
      if (prop && !prop.nullable)
        this.#conflict(path, 'It is secret and required, and the trail does not know its value.');
    }
    // After a bulk write that one entry stands for, the trail does not know what there is: everything is put back.
    const current = entity && this.now.exists && !this.now.wasChangedInBulk ? this.now.values : {};
    for (const [path, recorded] of Object.entries(this.target.values)) {
      const prop = findProperty(this.#meta, path);
      if (!prop) this.#skipped.push(path);
      // Numbers and times of the change itself are those of the new one.
      if (!prop || prop.version || prop.onUpdate || path === this.#meta.root.discriminatorColumn) continue;
      const isKnown = !this.now.wasChangedInBulk;
      const isSame = entity && isKnown && JSON.stringify(current[path] ?? null) === JSON.stringify(recorded);
      if (isSame) continue;
      this.#restored.push(path);
      this.#values[path] = fromRecorded(prop, recorded, this.em);
    }
    for (const [name, keys] of Object.entries(this.target.collections)) {
      const isSame = entity && JSON.stringify(this.now.collections[name] ?? []) === JSON.stringify(keys);
      if (this.#meta.properties[name] === undefined) this.#skipped.push(name);
      else if (!isSame) this.#restored.push(name);
    }
  }

  /** Rows it refers to that are gone since. */
  async #findMissing(): Promise<void> {
    for (const path of this.#restored) {
      const { targetMeta } = findProperty(this.#meta, path) as EntityProperty;
      const keys = this.target.collections[path] ?? [this.target.values[path]].filter((key) => key !== null);
      if (!targetMeta || keys.length === 0) continue;
      const found = await this.em.count(targetMeta.class, { id: { $in: keys } } as never);
      if (found < new Set(keys.map(String)).size) this.#conflict(path, 'What it refers to does not exist any more.');
    }
  }

  /** Unique values that another row has taken since. */
  async #findTaken(): Promise<void> {
    const { root } = this.#meta;
    const single = this.#meta.props.filter((prop) => prop.unique).map((prop) => [prop.name]);
    const named = [...new Set([...root.uniques, ...this.#meta.uniques])].map(({ properties }) =>
      [properties ?? []].flat(),
    );
    for (const names of [...single, ...named] as string[][]) {
      const own = names.filter((name) => name !== 'tenantId');
      if (!own.some((name) => this.#restored.includes(name))) continue;
      const where = Object.fromEntries(own.map((name) => [name, this.#values[name] ?? this.now.values[name] ?? null]));
      if (Object.values(where).includes(null)) continue;
      const other = await this.em.count(root.class, { ...where, id: { $ne: this.id } } as never);
      if (other > 0) this.#conflict(own.at(-1) as string, 'Another one has this value by now.');
    }
  }

  async #write(existing: object | null): Promise<void> {
    const entity = existing ?? (await this.#create());
    const plain = this.#restored.filter((path) => !(path in this.target.collections));
    if (existing && plain.length > 0) this.#assign(existing);
    for (const [name, keys] of Object.entries(this.target.collections)) {
      if (!this.#restored.includes(name)) continue;
      const { targetMeta } = this.#meta.properties[name] as EntityProperty;
      const collection = Reflect.get(entity, name) as Collection<object>;
      await collection.init();
      collection.set(keys.map((key) => this.em.getReference((targetMeta as EntityMetadata).class, key as never)));
    }
    await this.em.flush();
  }

  #assign(entity: object): void {
    for (const [name, value] of Object.entries(this.#assignment(entity))) {
      // MikroORM's check of types knows what a custom type stores, not what entities hold.
      if ((this.#meta.properties[name as never] as EntityProperty).customType) Reflect.set(entity, name, value);
      else this.em.assign(entity, { [name]: value } as never);
    }
  }

  /** Embedded values are replaced as a whole; what of one is not put back comes from the present one. */
  #assignment(entity: object): Row {
    const nested = nest(this.#values);
    for (const [name, value] of Object.entries(nested)) {
      const prop = this.#meta.properties[name as never] as EntityProperty;
      if (prop.kind !== ReferenceKind.EMBEDDED || !(value instanceof Object) || prop.object || prop.array) continue;
      const whole = { ...(Reflect.get(entity, name) as object | null), ...value };
      nested[name] = Object.values(whole).every((part) => part === null) ? null : whole;
    }
    return nested;
  }

  /** In bulk, as that takes rows of any mapping and keeps what is given: the id and the time of the first creation. */
  async #create(): Promise<object> {
    const entity = this.#meta.class as EntityClass<object>;
    await bulkInsert(this.em, entity, [{ ...nest(this.#values), id: this.id }]);
    return this.em.findOneOrFail(entity, { id: this.id } as never);
  }
}

/** A stored property by its name in changes. */
function findProperty(meta: EntityMetadata, path: string): EntityProperty | undefined {
  const [head = '', ...steps] = path.split('.');
  let prop = meta.properties[head as never] as EntityProperty | undefined;
  for (const step of steps) prop = prop?.embeddedProps?.[step];
  return prop?.persist === false || prop?.kind === ReferenceKind.ONE_TO_MANY ? undefined : prop;
}
