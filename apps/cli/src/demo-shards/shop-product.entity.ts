import { Embedded, Entity, Property } from '@mikro-orm/decorators/legacy';
import { Money, TenantOwned } from '#libs/persistence';

/** What the sharded shop sells. */
@Entity({ tableName: 'demo_product' })
export class ShopProduct extends TenantOwned {
  /** Decides on which shard the product lives, and cannot change. */
  @Property({ type: 'integer' })
  shardKey!: number;

  @Property({ type: 'string', length: 100 })
  name!: string;

  @Embedded(() => Money, { prefix: 'price_' })
  price!: Money;
}
