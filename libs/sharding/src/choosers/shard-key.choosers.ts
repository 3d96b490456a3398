import type { EntityClass, EntityMetadata } from '@mikro-orm/core';
import { ShardNotChosenError } from '../errors/shard-not-chosen.error.js';
import type { Choosers, ShardChooser } from './choosers.js';
import type { ShardKeyValue, ShardPlacement } from './shard-placement.js';
import { type ShardKeyRule, WhereNarrowing } from './where-narrowing.js';

/** A reference entity: small, rarely written, and needed beside the rows of every shard. */
export interface EveryShardRule {
  readonly onEveryShard: true;
}

/** How entities are spread over shards. */
export interface ShardKeyDeclaration {
  /** Which shard a value of the shard key belongs to. */
  readonly placement: ShardPlacement;
  /**
   * One rule per entity; those of a hierarchy share the rule of its root. `property` is the shard key itself; `follows`
   * names a to-one relation, and puts a row on the shard of the row it refers to; `onEveryShard` keeps a copy of each row
   * on every shard.
   */
  readonly keys: readonly ({ readonly entity: EntityClass } & (ShardKeyRule | EveryShardRule))[];
}

/**
 * Choosers generated from a declared shard key: new rows go where their key says, primary keys and conditions that name
 * the key narrow a query to the shards concerned, and everything else asks all of them.
 *
 * @example
 * createShardKeyChoosers({
 *   placement: moduloPlacement(shards.ids),
 *   keys: [{ entity: Product, property: 'shardKey' }, { entity: Review, follows: 'product' }],
 * });
 */
export function createShardKeyChoosers({ placement, keys }: ShardKeyDeclaration): Choosers {
  const declared = new Map<unknown, ShardKeyRule>();
  const everywhere = new Map<unknown, true>();
  for (const { entity, ...rule } of keys) {
    if ('onEveryShard' in rule) everywhere.set(entity, true);
    else declared.set(entity, rule);
  }
  const ruleOf = memoise((meta: EntityMetadata) => findUpwards(meta.class, declared));
  const narrowing = { placement, ruleOf };

  const choosers: Choosers = {
    shardChooser(entity, meta, context) {
      const rule = ruleOf(meta);
      if (!rule) throw new ShardNotChosenError(`${meta.className} declares no shard key.`);
      const name = nameOf(rule);
      const value = (entity as Record<string, unknown>)[name];
      if (value === null || value === undefined) throw new ShardNotChosenError(`${meta.className}.${name} is not set.`);
      if ('property' in rule) return placement.shardFor(value as ShardKeyValue);
      const shard = context.shardOf(value) ?? [
        ...(new WhereNarrowing(narrowing, context).ofWhere(meta, { [name]: value }) ?? []),
      ];
      if (typeof shard === 'string') return shard;
      if (shard.length === 1) return shard[0] as string;
      throw new ShardNotChosenError(
        `${meta.className}.${name} refers to a row whose shard is not known; load it first.`,
      );
    },
    identityChooser: (meta, primaryKey, context) =>
      new WhereNarrowing(narrowing, context).ofPrimaryKey(meta, primaryKey) ?? context.shards,
    executeChooser: ({ meta, where }, context) =>
      (meta && new WhereNarrowing(narrowing, context).ofWhere(meta, where)) ?? context.shards,
    // A row may change the row it follows for another on its shard; one elsewhere is a cross-shard association anyway.
    shardKeyOf(meta) {
      const rule = ruleOf(meta);
      return rule && 'property' in rule ? [rule.property] : [];
    },
    isOnEveryShard: memoise((meta: EntityMetadata) => findUpwards(meta.class, everywhere) !== undefined),
  };
  readers.set(choosers.shardChooser, (meta) => {
    const rule = ruleOf(meta);
    return rule && nameOf(rule);
  });
  return choosers;
}

function nameOf(rule: ShardKeyRule): string {
  return 'property' in rule ? rule.property : rule.follows;
}

const readers = new WeakMap<ShardChooser, (meta: EntityMetadata) => string | undefined>();

/**
 * The one property by which a generated chooser places an entity: a row that has it can be shown to the chooser as it is.
 * `undefined` for a chooser of somebody else's, which may look at anything, and for an entity without a rule.
 */
export function placingPropertyOf(chooser: ShardChooser, meta: EntityMetadata): string | undefined {
  return readers.get(chooser)?.(meta);
}

/** The rule of a class, or of the nearest class above it. */
function findUpwards<Rule>(entity: unknown, declared: ReadonlyMap<unknown, Rule>): Rule | undefined {
  for (let type = entity; typeof type === 'function'; type = Object.getPrototypeOf(type)) {
    const rule = declared.get(type);
    if (rule) return rule;
  }
  return undefined;
}

function memoise<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, { value: V }>();
  return (key) => {
    let entry = known.get(key);
    if (!entry) {
      entry = { value: compute(key) };
      known.set(key, entry);
    }
    return entry.value;
  };
}
