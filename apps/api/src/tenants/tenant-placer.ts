import { Injectable } from '@nestjs/common';
import { createSlotTable, ShardRegistry, type SlotTable, slotOf } from '#libs/sharding';
import { PlacementRecord, type Tenant } from '#libs/tenancy';
import { AppConfig } from '../config/app.config.js';

/** Chooses where a new tenant lives: its slot's shard, unless the operator names one. */
@Injectable()
export class TenantPlacer {
  readonly #slots: SlotTable;

  constructor(
    private readonly config: AppConfig,
    private readonly shards: ShardRegistry,
  ) {
    this.#slots = createSlotTable(Object.fromEntries(config.shards.map(({ id, weight = 1 }) => [id, weight])));
  }

  /** @throws {UnknownShardError} when `shardId` names no configured shard */
  place(tenant: Tenant, shardId?: string): PlacementRecord {
    const chosen = shardId ?? this.#slots[slotOf(tenant.id)];
    const { id } = this.shards.definition(String(chosen));
    return new PlacementRecord(tenant.id, this.config.defaultStrategy, id);
  }
}
