import { type Opt, PrimaryKeyProp } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { IsolationStrategyName, Placement } from '../placement.js';

/** Where one tenant's rows live. Lives in the central database, one row per tenant. */
@Entity({ tableName: 'placement' })
export class PlacementRecord implements Placement {
  [PrimaryKeyProp]?: 'tenantId';

  @PrimaryKey({ type: 'uuid' })
  readonly tenantId: string;

  @Property({ type: 'string', length: 20 })
  strategy: IsolationStrategyName;

  @Index()
  @Property({ type: 'string', length: 60 })
  shardId: string;

  @Property({ type: 'string', length: 63, nullable: true })
  schemaName?: string;

  @Property({ type: 'string', length: 63, nullable: true })
  databaseName?: string;

  @Property({ type: 'integer' })
  epoch: number & Opt = 1;

  @Property({ type: 'string', length: 20 })
  state: Placement['state'] & Opt = 'active';

  constructor(tenantId: string, strategy: IsolationStrategyName, shardId: string) {
    this.tenantId = tenantId;
    this.strategy = strategy;
    this.shardId = shardId;
  }
}
