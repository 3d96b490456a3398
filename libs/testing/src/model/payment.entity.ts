import type { Opt } from '@mikro-orm/core';
import { Embedded, Entity, Property } from '@mikro-orm/decorators/legacy';
import { Money, TenantOwned } from '#libs/persistence';

/** Root of a single-table hierarchy: all kinds share one table. */
@Entity({ tableName: 'payment', discriminatorColumn: 'method' })
export abstract class Payment extends TenantOwned {
  @Property({ type: 'string', length: 20 })
  readonly method!: ('wallet' | 'card') & Opt;

  @Embedded(() => Money, { prefix: 'amount_' })
  amount!: Money;
}
