import { Injectable } from '@nestjs/common';
import { CurrentEntityManager, findLocked, Transactional } from '#libs/persistence';
import { InvalidInputError } from '../../http/errors/invalid-input.error.js';
import { NotFoundError } from '../../http/errors/not-found.error.js';
import { Transfer } from './transfer.entity.js';
import { Wallet } from './wallet.entity.js';
import type { NewTransfer } from './wallet.schemas.js';

/** The wallets of the current tenant, and the money in them. */
@Injectable()
export class WalletService {
  constructor(private readonly entityManager: CurrentEntityManager) {}

  async open(currency: string): Promise<Wallet> {
    const wallet = new Wallet(currency);
    await this.entityManager.get().persist(wallet).flush();
    return wallet;
  }

  /** @throws {NotFoundError} also for another tenant's id */
  async get(id: string): Promise<Wallet> {
    const wallet = await this.entityManager.get().findOne(Wallet, { id });
    if (!wallet) throw new NotFoundError();
    return wallet;
  }

  /** @throws {NotFoundError} @throws {BalanceLimitError} */
  @Transactional()
  async deposit(id: string, amount: number): Promise<Wallet> {
    const [wallet] = await this.lock([id]);
    wallet.deposit(amount);
    return wallet;
  }

  /**
   * Moves money from one wallet to another, or does nothing.
   *
   * @throws {NotFoundError} one of the wallets is not there
   * @throws {InvalidInputError} they are of two currencies
   * @throws {InsufficientFundsError} @throws {BalanceLimitError}
   */
  @Transactional()
  async transfer({ from: fromId, to: toId, amount }: NewTransfer): Promise<Transfer> {
    const [from, to] = await this.lock([fromId, toId]);
    if (from.currency !== to.currency) {
      throw new InvalidInputError([{ pointer: '/to', detail: `Must be a wallet in ${from.currency}.` }]);
    }
    from.withdraw(amount);
    to.deposit(amount);
    const transfer = new Transfer(from, to, amount);
    this.entityManager.get().persist(transfer);
    return transfer;
  }

  /**
   * Locks wallets until the current transaction ends, always in the order of their ids, whatever order was asked for: two
   * transfers in opposite directions would lock each other out otherwise.
   *
   * @throws {NotFoundError}
   */
  async lock<Ids extends readonly string[]>(ids: [...Ids]): Promise<{ [Index in keyof Ids]: Wallet }> {
    const locked = await findLocked(this.entityManager.get(), Wallet, { id: { $in: ids } });
    const byId = new Map(locked.map((wallet) => [wallet.id as string, wallet]));
    return ids.map((id) => {
      const wallet = byId.get(id);
      if (!wallet) throw new NotFoundError();
      return wallet;
    }) as { [Index in keyof Ids]: Wallet };
  }
}
