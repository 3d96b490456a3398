import { Injectable } from '@nestjs/common';
import { getEngine } from '#libs/persistence';
import { ShardRegistry, SlotDirectory } from '#libs/sharding';
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
    private readonly slots: SlotDirectory,
  ) {}

  /**
   * @throws {UnknownShardError} when `shard` names no configured shard
   * @throws {StrategyUnsupportedError} when it, or every shard, is of an engine that cannot express the strategy
   */
  async place(
    tenant: Tenant,
    { strategy = this.config.defaultStrategy, shard }: WantedPlacement = {},
  ): Promise<PlacementRecord> {
    const { id } = this.shards.definition(shard ?? (await this.#shardOfSlot(tenant, strategy)));
    const names = this.strategies.get(strategy, id).nameFor(tenant.id);
    return Object.assign(new PlacementRecord(tenant.id, strategy, id), names);
  }

  #shardOfSlot({ id }: Tenant, strategy: IsolationStrategyName): Promise<string> {
    const engineOf = (shardId: string) => getEngine(this.shards.definition(shardId).url).name;
    const isAble = (shardId: string) => strategyEngines[strategy].includes(engineOf(shardId));
    const [first] = this.shards.ids;
    if (first && !this.shards.ids.some(isAble)) throw new StrategyUnsupportedError(strategy, engineOf(first));
    return this.slots.place(id, isAble);
  }
}
