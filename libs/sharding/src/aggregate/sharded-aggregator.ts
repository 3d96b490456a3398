import type { EntityName } from '@mikro-orm/core';
import { TooManyGroupsError } from '../errors/too-many-groups.error.js';
import type { ShardScope } from '../sharded/shard-scope.js';
import type { ShardCallOptions } from '../sharded/sharded-options.js';
import { type AggregatePlan, planAggregate } from './aggregate-plan.js';
import type { AggregateQuery, AggregateRow } from './aggregate-query.js';
import { arrange, MergedGroups } from './merge-groups.js';
import { ShardAggregate, type ShardPart } from './shard-aggregate.js';

/** Beyond it a report belongs into one database, or wants a narrower condition. */
const DEFAULT_MAX_GROUPS = 100_000;

/** Computes aggregates over shards: each shard reduces its rows to groups, which are put together here. */
export class ShardedAggregator {
  constructor(private readonly scope: ShardScope) {}

  async aggregate(
    entityName: EntityName<object>,
    query: AggregateQuery<object>,
    options: ShardCallOptions,
  ): Promise<AggregateRow[]> {
    const meta = this.scope.metadata(entityName);
    const { where = {}, maxGroups = DEFAULT_MAX_GROUPS } = query;
    const plan = planAggregate(meta, query);
    // Mistakes in having and order are found before any SQL.
    arrange([], plan, query, this.scope.nullsAreLow);
    const { shards } = await this.scope.route({ kind: 'aggregate', meta, where }, options);
    const merged = new MergedGroups(plan);
    const answers = await this.scope.ask(
      shards,
      (em, callOff, id) => {
        const meta = this.scope.children.metadata(entityName, id);
        const shard = new ShardAggregate(em, this.scope.engineOf(id).name, meta, where, callOff);
        return askAll(shard, plan, maxGroups);
      },
      options,
    );
    for (const [groups, ...distincts] of answers) {
      for (const part of groups as ShardPart[]) merged.add(part);
      for (const [index, rows] of distincts.entries()) {
        for (const row of rows) merged.addDistinct(index, row.groups);
      }
      assertBounded(merged.size, maxGroups);
    }
    return arrange(merged.rows(), plan, query, this.scope.nullsAreLow);
  }
}

/** The groups, and for each number of distinct values the values by group. */
async function askAll(shard: ShardAggregate, plan: AggregatePlan, maxGroups: number): Promise<ShardPart[][]> {
  const groups = await shard.ask(plan, maxGroups);
  assertBounded(groups.length, maxGroups);
  const all = [groups];
  for (const value of plan.distincts) {
    const rows = await shard.ask({ groups: [...plan.groups, { name: '', value }], parts: [] }, maxGroups);
    assertBounded(rows.length, maxGroups);
    all.push(rows);
  }
  return all;
}

function assertBounded(size: number, maxGroups: number): void {
  if (size > maxGroups) throw new TooManyGroupsError(maxGroups);
}
