/** The permanent name of a shard. It is stored in placements and slots: a shard may move to another URL, never be renamed. */
export type ShardId = string;

/** One physical database and its replicas. */
export interface ShardDefinition {
  /** Lower-case letters, digits and hyphens, starting with a letter. */
  readonly id: ShardId;
  /** `sqlite:<file>`, `mysql://…`, `mariadb://…` or `postgresql://…`. Shards of different engines may be mixed. */
  readonly url: string;
  /** Copies that reads may go to; same engine as `url`. */
  readonly replicaUrls?: readonly string[];
  /** Share of the slots, relative to the other shards. Default 1; 0 takes no new tenants. */
  readonly weight?: number;
}
