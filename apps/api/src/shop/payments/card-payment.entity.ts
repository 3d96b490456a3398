import { ref } from '@mikro-orm/core';
import { Entity, Property } from '@mikro-orm/decorators/legacy';
import { Audited } from '#libs/audit';
import type { Order } from '../orders/order.entity.js';
import { Payment } from './payment.entity.js';

/** What is known of a card. Its number never comes here: the client gives it to the payment provider, and us a token. */
export interface CardDetails {
  readonly token: string;
  readonly lastFour: string;
}

/** Paid by card. */
@Audited<CardPayment>({ secret: ['token'] })
@Entity({ discriminatorValue: 'card' })
export class CardPayment extends Payment {
  @Property({ type: 'string', length: 4, nullable: true })
  readonly lastFour: string;

  /** Whoever holds it may charge the card: never shown, and its value is in no audit entry. */
  @Property({ type: 'string', length: 200, nullable: true, hidden: true })
  readonly token: string;

  constructor(order: Order, { token, lastFour }: CardDetails) {
    super('card', ref(order), order.total);
    this.token = token;
    this.lastFour = lastFour;
  }
}
