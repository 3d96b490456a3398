import { type EntityMetadata, type EntityProperty, type Primary, Utils } from '@mikro-orm/core';
import { ShardNotChosenError } from '../errors/shard-not-chosen.error.js';
import type { ShardId } from '../registry/shard-definition.js';
import type { ChooserContext } from './choosers.js';
import type { ShardKeyRange, ShardKeyValue, ShardPlacement } from './shard-placement.js';

/** How the rows of one entity are placed: by a property of their own, or wherever the row they refer to is. */
export type ShardKeyRule = { readonly property: string } | { readonly follows: string };

/** What narrowing needs to know: `undefined` where an entity has no rule. */
export interface NarrowingRules {
  readonly placement: ShardPlacement;
  ruleOf(meta: EntityMetadata): ShardKeyRule | undefined;
}

/** A set of shards; `undefined` stands for any of them. */
type Shards = ReadonlySet<ShardId> | undefined;

const NONE: Shards = new Set();

const intersect = (a: Shards, b: Shards): Shards => (a && b ? new Set([...a].filter((id) => b.has(id))) : (a ?? b));
const unite = (a: Shards, b: Shards): Shards => (a && b ? new Set([...a, ...b]) : undefined);

/**
 * Finds out from a condition on which shards its rows can be. It may name a shard too many, never one too few: what it
 * does not understand (functions, `$not`, other properties) does not narrow.
 */
export class WhereNarrowing {
  constructor(
    private readonly rules: NarrowingRules,
    private readonly context: ChooserContext,
  ) {}

  /** Shards of the rows of `meta` that meet `where`: an object, a primary key, an entity, or a list of these. */
  ofWhere(meta: EntityMetadata, where: unknown): Shards {
    if (where === null || where === undefined) return undefined;
    if (Array.isArray(where)) return this.#ofList(meta, where);
    if (Utils.isEntity(where, true)) return this.#ofEntity(where);
    if (!Utils.isPlainObject(where)) return this.ofPrimaryKey(meta, where as Primary<object>);
    return Object.entries(where)
      .map(([key, condition]) => this.#ofCondition(meta, key, condition))
      .reduce(intersect, undefined);
  }

  /** Shards of one row, when its shard key is a part of its primary key. */
  ofPrimaryKey(meta: EntityMetadata, primaryKey: Primary<object>): Shards {
    const rule = this.rules.ruleOf(meta);
    if (!rule) return undefined;
    const name = 'property' in rule ? rule.property : rule.follows;
    const position = meta.primaryKeys.indexOf(name as never);
    if (position < 0) return undefined;
    const value = meta.compositePK ? (primaryKey as unknown as unknown[])[position] : primaryKey;
    return 'property' in rule && !Array.isArray(value)
      ? this.#shardFor(value as ShardKeyValue)
      : this.#ofCondition(meta, name, value);
  }

  #ofList(meta: EntityMetadata, list: readonly unknown[]): Shards {
    // One composite key looks like a list of simple ones; nested lists are a list of composite keys.
    if (meta.compositePK && !list.some((item) => typeof item === 'object')) {
      return this.ofPrimaryKey(meta, list as unknown as Primary<object>);
    }
    return list.map((item) => this.ofWhere(meta, item)).reduce(unite, NONE);
  }

  #ofEntity(entity: object): Shards {
    const shard = this.context.shardOf(entity);
    return shard === undefined ? undefined : new Set([shard]);
  }

  #ofCondition(meta: EntityMetadata, key: string, condition: unknown): Shards {
    if (key === '$and')
      return (condition as unknown[]).map((part) => this.ofWhere(meta, part)).reduce(intersect, undefined);
    if (key === '$or') return (condition as unknown[]).map((part) => this.ofWhere(meta, part)).reduce(unite, NONE);
    const rule = this.rules.ruleOf(meta);
    if (rule && 'property' in rule && key === rule.property) return this.#ofValue(condition);
    if (rule && 'follows' in rule && key === rule.follows) return this.#ofParent(meta, key, condition);
    return undefined;
  }

  #ofParent(meta: EntityMetadata, relation: string, condition: unknown): Shards {
    const parent = (meta.properties as Record<string, EntityProperty>)[relation]?.targetMeta as
      | EntityMetadata
      | undefined;
    if (!parent) return undefined;
    if (!Utils.isPlainObject(condition)) return this.ofWhere(parent, condition);
    const { $eq, $in, ...rest } = condition as { $eq?: unknown; $in?: unknown[] };
    return [this.ofWhere(parent, $eq), this.ofWhere(parent, $in), this.ofWhere(parent, rest)].reduce(
      intersect,
      undefined,
    );
  }

  #ofValue(condition: unknown): Shards {
    if (condition === null || condition === undefined) return undefined;
    if (Array.isArray(condition)) return condition.map((value) => this.#ofValue(value)).reduce(unite, NONE);
    if (!Utils.isPlainObject(condition)) return this.#shardFor(condition as ShardKeyValue);
    const { $eq, $in, $and, $or } = condition as Record<string, unknown>;
    return [
      this.#ofValue($eq),
      this.#ofValue($in),
      this.#ofRange(condition as Record<string, ShardKeyValue>),
      ($and as unknown[] | undefined)?.map((part) => this.#ofValue(part)).reduce(intersect, undefined),
      ($or as unknown[] | undefined)?.map((part) => this.#ofValue(part)).reduce(unite, NONE),
    ].reduce(intersect, undefined);
  }

  #ofRange({ $gt, $gte, $lt, $lte }: Record<string, ShardKeyValue>): Shards {
    const range: ShardKeyRange = { from: $gte ?? $gt ?? null, to: $lte ?? $lt ?? null };
    if (!this.rules.placement.shardsFor || (range.from === null && range.to === null)) return undefined;
    return new Set(this.rules.placement.shardsFor(range));
  }

  #shardFor(value: ShardKeyValue): Shards {
    try {
      return new Set([this.rules.placement.shardFor(value)]);
    } catch (error) {
      // A value without a place cannot have been stored: no shard holds such a row.
      if (error instanceof ShardNotChosenError) return NONE;
      throw error;
    }
  }
}
