import type { Opt } from '@mikro-orm/core';
import { Embedded, Entity, Index, ManyToOne, Property } from '@mikro-orm/decorators/legacy';
import { Money, TenantOwned } from '#libs/persistence';
import { Wallet } from './wallet.entity.js';

/** Money that went from one wallet to another. Never changes. */
@Entity({ tableName: 'transfer' })
export class Transfer extends TenantOwned {
  @Index()
  @ManyToOne(() => Wallet, {
    joinColumns: ['tenant_id', 'from_wallet_id'],
    referencedColumnNames: ['tenant_id', 'id'],
    ownColumns: ['from_wallet_id'],
    deleteRule: 'restrict',
    updateRule: 'restrict',
  })
  readonly from: Wallet;

  @Index()
  @ManyToOne(() => Wallet, {
    joinColumns: ['tenant_id', 'to_wallet_id'],
    referencedColumnNames: ['tenant_id', 'id'],
    ownColumns: ['to_wallet_id'],
    deleteRule: 'restrict',
    updateRule: 'restrict',
  })
  readonly to: Wallet;

  @Embedded(() => Money, { prefix: false })
  readonly money: Money;

  @Property({ type: 'Date', length: 3 })
  readonly createdAt: Date & Opt = new Date();

  constructor(from: Wallet, to: Wallet, amount: number) {
    super();
    this.from = from;
    this.to = to;
    this.money = new Money(amount, from.currency);
  }
}
