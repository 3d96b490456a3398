import type { Opt } from '@mikro-orm/core';
import { Embedded, Entity, Property, Unique } from '@mikro-orm/decorators/legacy';
import { Money, TenantOwned } from '#libs/persistence';

/** One table: a booked amount. */
@Entity({ tableName: 'booking' })
@Unique({ properties: ['tenantId', 'reference'] })
export class Booking extends TenantOwned {
  @Property({ type: 'string', length: 60 })
  reference!: string;

  @Property({ type: 'string', length: 200 })
  subject!: string;

  @Embedded(() => Money, { prefix: 'amount_' })
  amount!: Money;

  @Property({ type: 'boolean' })
  cleared: boolean & Opt = false;

  @Property({ type: 'json', nullable: true })
  details?: Record<string, unknown>;

  @Property({ type: 'Date', length: 3 })
  readonly bookedAt: Date & Opt = new Date();
}

/** Root of a class-table hierarchy, as wide as the shop's product. */
@Entity({ tableName: 'item', inheritance: 'tpt' })
@Unique({ properties: ['tenantId', 'sku'] })
export abstract class Item extends TenantOwned {
  @Property({ type: 'string', length: 20 })
  readonly type!: string & Opt;

  @Property({ type: 'string', length: 100 })
  sku!: string;

  @Property({ type: 'string', length: 200 })
  name!: string;

  @Embedded(() => Money, { prefix: 'price_' })
  price!: Money;

  @Property({ type: 'integer' })
  stock: number & Opt = 0;

  @Property({ type: 'json', nullable: true })
  attributes?: Record<string, unknown>;

  @Property({ type: 'integer', version: true })
  readonly version: number & Opt = 1;

  @Property({ type: 'Date', length: 3 })
  readonly createdAt: Date & Opt = new Date();

  @Property({ type: 'Date', length: 3, onUpdate: () => new Date() })
  readonly updatedAt: Date & Opt = new Date();
}

@Entity({ tableName: 'digital_item' })
export class DigitalItem extends Item {
  override readonly type: string & Opt = 'digital';

  @Property({ type: 'integer', nullable: true })
  downloadSizeKb?: number;
}
