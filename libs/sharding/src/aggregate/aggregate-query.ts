import type { EntityKey, FilterQuery, QueryOrder } from '@mikro-orm/core';

/** One value per group. `avg` is a number; `sum`, `min` and `max` have the type of their property; `null` without rows. */
export type Aggregate<E> =
  | 'count'
  | { readonly countDistinct: EntityKey<E> }
  | { readonly sum: EntityKey<E> }
  | { readonly avg: EntityKey<E> }
  | { readonly min: EntityKey<E> }
  | { readonly max: EntityKey<E> };

/** What to compute. Without `groupBy` there is one row, also when nothing matches; without `select` the distinct groups. */
export interface AggregateQuery<E extends object> {
  readonly where?: FilterQuery<E>;
  readonly groupBy?: readonly EntityKey<E>[];
  /** Result name → what it is. */
  readonly select?: Readonly<Record<string, Aggregate<E>>>;
  /** Condition on results and groups, evaluated after the shards' parts are put together. */
  readonly having?: Readonly<Record<string, unknown>>;
  /** By results and groups. Default: by the groups, ascending. */
  readonly orderBy?: Readonly<Record<string, 'asc' | 'desc' | `${QueryOrder}`>>;
  readonly limit?: number;
  readonly offset?: number;
  /** Groups, and distinct values, held in memory at most. Default 100 000. */
  readonly maxGroups?: number;
}

/** One group: the values of `groupBy` and of `select` under their names. */
export type AggregateRow = Record<string, unknown>;
