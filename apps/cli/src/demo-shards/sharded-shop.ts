import { AuditEntry, AuditRecorder } from '#libs/audit';
import { ChangeEventsSubscriber, ormOptions } from '#libs/persistence';
import {
  createShardedEntityManagerFactory,
  createShardKeyChoosers,
  moduloPlacement,
  type ShardDefinition,
  type ShardedEntityManagerFactory,
  type ShardId,
  ShardRegistry,
} from '#libs/sharding';
import { ShopProduct } from './shop-product.entity.js';

/** A statement, and the shard it went to. */
export interface SentStatement {
  readonly shard: ShardId;
  readonly sql: string;
}

/** Products over shards by `shardKey % number of shards`, each beside the audit entries of its changes. */
export class ShardedShop {
  readonly registry: ShardRegistry;
  readonly factory: ShardedEntityManagerFactory;
  /** Every statement so far, without those that make tables. */
  readonly sent: SentStatement[] = [];
  readonly #tablesMade = new Set<ShardId>();

  constructor(shards: readonly ShardDefinition[]) {
    this.registry = new ShardRegistry({
      shards,
      ormOptions: ({ id, url }) =>
        ormOptions(url, {
          entities: [ShopProduct, AuditEntry],
          // One recorder per shard: the entries of a change are written by the transaction that makes it, on its shard.
          subscribers: [
            new ChangeEventsSubscriber({
              subscribers: [new AuditRecorder()],
              onError: (error) => console.error(error),
            }),
          ],
          onQuery: (sql) => this.#note(id, sql),
        }),
    });
    const choosers = createShardKeyChoosers({
      placement: moduloPlacement(this.registry.ids),
      keys: [{ entity: ShopProduct, property: 'shardKey' }],
    });
    this.factory = createShardedEntityManagerFactory({ shards: this.registry, ...choosers });
  }

  /** Makes the tables. Fails where there are tables of these names: they might be somebody's. */
  async open(): Promise<void> {
    for (const { id, orm } of this.registry.all()) {
      await orm.schema.create();
      this.#tablesMade.add(id);
    }
  }

  /** Drops the tables it has made and closes every connection. */
  async close(): Promise<void> {
    for (const id of this.#tablesMade) await this.registry.get(id).schema.drop();
    await this.registry.close();
  }

  #note(shard: ShardId, sql: string): string {
    if (this.#tablesMade.has(shard)) this.sent.push({ shard, sql });
    return sql;
  }
}
