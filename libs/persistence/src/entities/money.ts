import { Embeddable, Property } from '@mikro-orm/decorators/legacy';

/** An amount of money. A value: replace it, never change it. */
@Embeddable()
export class Money {
  /** Integer minor units (cents). Safe up to 2^53 − 1. */
  @Property({ type: 'bigint', runtimeType: 'number' })
  readonly amount: number;

  /** ISO 4217 code, three capital letters. */
  @Property({ type: 'string', length: 3 })
  readonly currency: string;

  constructor(amount: number, currency: string) {
    this.amount = amount;
    this.currency = currency;
  }
}
