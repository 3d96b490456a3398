import type { Opt } from '@mikro-orm/core';
import { Check, Entity, Property } from '@mikro-orm/decorators/legacy';
import { TenantOwned } from '#libs/persistence';
import { BalanceLimitError } from '../errors/balance-limit.error.js';
import { InsufficientFundsError } from '../errors/insufficient-funds.error.js';

/**
 * Money of one currency. Change it only with its row locked (`findLocked`): two who read the same balance would both spend it.
 * The version and the check are there for those who forget.
 */
@Entity({ tableName: 'wallet' })
@Check({ name: 'wallet_balance_check', expression: 'balance >= 0' })
export class Wallet extends TenantOwned {
  /** ISO 4217 code; never changes. */
  @Property({ type: 'string', length: 3 })
  readonly currency: string;

  /** Integer minor units, never negative. */
  @Property({ type: 'bigint', runtimeType: 'number' })
  balance: number & Opt = 0;

  @Property({ type: 'integer', version: true })
  readonly version!: number & Opt;

  @Property({ type: 'Date', length: 3 })
  readonly createdAt: Date & Opt = new Date();

  @Property({ type: 'Date', length: 3, onUpdate: () => new Date() })
  readonly updatedAt: Date & Opt = new Date();

  constructor(currency: string) {
    super();
    this.currency = currency;
  }

  /** @throws {BalanceLimitError} */
  deposit(amount: number): void {
    if (amount > Number.MAX_SAFE_INTEGER - this.balance) throw new BalanceLimitError();
    this.balance += amount;
  }

  /** @throws {InsufficientFundsError} */
  withdraw(amount: number): void {
    if (amount > this.balance) throw new InsufficientFundsError();
    this.balance -= amount;
  }
}
