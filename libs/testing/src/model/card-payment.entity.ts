import { Entity, Property } from '@mikro-orm/decorators/legacy';
import { Payment } from './payment.entity.js';

/** A kind in the table of its root, with a property that is secret. */
@Entity({ discriminatorValue: 'card' })
export class CardPayment extends Payment {
  @Property({ type: 'string', length: 4, nullable: true })
  lastFour?: string;

  /** Secret: audit entries may tell that it changed, and never its value. */
  @Property({ type: 'string', length: 200, nullable: true })
  cardToken?: string;
}
