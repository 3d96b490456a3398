import { Injectable } from '@nestjs/common';
import { getEngine } from '#libs/persistence';
import { createSlotTable, type ShardDefinition, ShardRegistry, slotOf } from '#libs/sharding';
import {
  IsolationStrategies,
  type IsolationStrategyName,
  PlacementRecord,
  StrategyUnsupportedError,
  strategyEngines,
  type Tenant,
} from '#libs/tenancy';
import { AppConfig } from '../config/app.config.js';

/** What the operator says about where a new tenant lives. */
export interface WantedPlacement {
  /** Default: that of the configuration. */
  readonly strategy?: IsolationStrategyName;
  /** Default: the shard of the tenant's slot, among those that can express the strategy. */
  readonly shard?: string;
}

/** Chooses where a new tenant lives. */
@Injectable()
export class TenantPlacer {
  constructor(
    private readonly config: AppConfig,
    private readonly shards: ShardRegistry,
    private readonly strategies: IsolationStrategies,
  ) {}

  /**
   * @throws {UnknownShardError} when `shard` names no configured shard
   * @throws {StrategyUnsupportedError} when it, or every shard, is of an engine that cannot express the strategy
   */
  place(tenant: Tenant, { strategy = this.config.defaultStrategy, shard }: WantedPlacement = {}): PlacementRecord {
    const { id } = this.shards.definition(shard ?? this.#shardOfSlot(tenant, strategy));
    const names = this.strategies.get(strategy, id).nameFor(tenant.id);
    return Object.assign(new PlacementRecord(tenant.id, strategy, id), names);
  }

  #shardOfSlot({ id }: Tenant, strategy: IsolationStrategyName): string {
    const engineOf = ({ url }: ShardDefinition) => getEngine(url).name;
    const able = this.config.shards.filter((shard) => strategyEngines[strategy].includes(engineOf(shard)));
    const [first] = this.config.shards;
    if (able.length === 0 && first) throw new StrategyUnsupportedError(strategy, engineOf(first));
    // The table is made anew: a sign-up takes some hundred times as long.
    const slots = createSlotTable(Object.fromEntries(able.map((shard) => [shard.id, shard.weight ?? 1])));
    return String(slots[slotOf(id)]);
  }
}
