import { ref } from '@mikro-orm/core';
import { Entity, Index, ManyToOne } from '@mikro-orm/decorators/legacy';
import type { Order } from '../orders/order.entity.js';
import { Wallet } from '../wallets/wallet.entity.js';
import { Payment } from './payment.entity.js';

/** Paid out of a wallet of the same tenant. */
@Entity({ discriminatorValue: 'wallet' })
export class WalletPayment extends Payment {
  @Index()
  @ManyToOne(() => Wallet, {
    nullable: true,
    joinColumns: ['tenant_id', 'wallet_id'],
    referencedColumnNames: ['tenant_id', 'id'],
    ownColumns: ['wallet_id'],
    deleteRule: 'restrict',
    updateRule: 'restrict',
  })
  readonly wallet: Wallet;

  constructor(order: Order, wallet: Wallet) {
    super('wallet', ref(order), order.total);
    this.wallet = wallet;
  }
}
