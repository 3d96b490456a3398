/** How the rows of tenants are kept apart. */
export type IsolationStrategyName = 'row' | 'schema' | 'search-path' | 'database';

/** Where one tenant's rows live. */
export interface Placement {
  readonly tenantId: string;
  readonly strategy: IsolationStrategyName;
  /** Permanent name of the shard. */
  readonly shardId: string;
  /** Set for the strategies `schema` and `search-path`. */
  readonly schemaName?: string;
  /** Set for the strategy `database`. */
  readonly databaseName?: string;
  /** Grows with every change, so that a cached placement can be told from the present one. */
  readonly epoch: number;
  readonly state: 'active' | 'moving' | 'suspended' | 'archived';
}
