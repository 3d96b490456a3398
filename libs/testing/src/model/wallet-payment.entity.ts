import { Entity, Property } from '@mikro-orm/decorators/legacy';
import { Payment } from './payment.entity.js';

/** Another kind in the table of its root. */
@Entity({ discriminatorValue: 'wallet' })
export class WalletPayment extends Payment {
  @Property({ type: 'string', length: 60, nullable: true })
  walletId?: string;
}
