import type { SqlEntityManager } from '@mikro-orm/sql';
import { AuditRecorder } from '#libs/audit';
import { runAs } from '#libs/context';
import { getEngine, newId, ormOptions, runInSystemFrame } from '#libs/persistence';
import { ShardRegistry } from '#libs/sharding';
import { IsolationStrategies, type TenantRecord } from '#libs/tenancy';
import { readConfig } from '../../config/app.config.js';
import { PlacedEntityManager } from '../../storage/placed-entity-manager.js';
import { ShardReadiness } from '../../storage/shard-readiness.js';
import { ShardTenantDatabases } from '../../storage/shard-tenant-databases.js';
import { tenantOrmOptions } from '../../storage/tenant-orm-options.js';
import { Transfer } from './transfer.entity.js';
import { Wallet } from './wallet.entity.js';
import { WalletService } from './wallet.service.js';

export const WALLETS = 20;
export const EACH = 100;
export const TRANSFERS = 200;

/** Wallets of one tenant on one shard, opened as the application opens it: migrated, guarded, audited. */
export class MoneyWorld {
  readonly #entityManager: PlacedEntityManager;
  readonly #service: WalletService;

  private constructor(
    private readonly shards: ShardRegistry,
    private readonly tenant: TenantRecord,
  ) {
    const databases = new ShardTenantDatabases(readConfig({}), shards, new AuditRecorder());
    this.#entityManager = new PlacedEntityManager(new IsolationStrategies(databases), new ShardReadiness());
    this.#service = new WalletService(this.#entityManager);
  }

  /** @param tenantId  of an earlier world on the same database; a new one without */
  static async open(url: string, tenantId = newId()): Promise<MoneyWorld> {
    const shards = new ShardRegistry({
      shards: [{ id: 'shard-1', url }],
      patience: { pauseMs: 50 },
      ormOptions: () => ormOptions(url, { ...tenantOrmOptions(getEngine(url), new AuditRecorder()), logger: () => {} }),
    });
    await runInSystemFrame('migrate', () => shards.get('shard-1').migrator.up());
    const placement = { tenantId, strategy: 'row', shardId: 'shard-1', epoch: 1, state: 'active' } as const;
    return new MoneyWorld(shards, { id: tenantId, slug: 'acme', name: 'acme', status: 'active', placement });
  }

  get tenantId(): string {
    return this.tenant.id;
  }

  close(): Promise<void> {
    return this.shards.close();
  }

  makeWallets(): Promise<string[]> {
    return this.#asRequest(async (em) => {
      const wallets = Array.from({ length: WALLETS }, () => new Wallet('EUR'));
      for (const wallet of wallets) wallet.deposit(EACH);
      await em.persist(wallets).flush();
      return wallets.map(({ id }) => id);
    });
  }

  /** Transfers between wallets, all at once. The numbers are spread, not random: a run can be had again. */
  moveMoney(wallets: readonly string[], count = TRANSFERS): Promise<Transfer>[] {
    return Array.from({ length: count }, (_, n) => {
      const from = (n * 7) % wallets.length;
      const to = (from + 1 + ((n * 3) % (wallets.length - 1))) % wallets.length;
      const transfer = { from: String(wallets[from]), to: String(wallets[to]), amount: 1 + ((n * 13) % 40) };
      return this.#asRequest(() => this.#service.transfer(transfer));
    });
  }

  /** What the wallets hold, what they should hold by the transfers on record, and how many those are. */
  readBooks() {
    return this.#asRequest(async (em) => {
      const wallets = await em.find(Wallet, {});
      const transfers = await em.find(Transfer, {});
      const expected = new Map(wallets.map(({ id }): [string, number] => [id, EACH]));
      for (const { from, to, money } of transfers) {
        expected.set(from.id, Number(expected.get(from.id)) - money.amount);
        expected.set(to.id, Number(expected.get(to.id)) + money.amount);
      }
      const held = Object.fromEntries(wallets.map(({ id, balance }) => [id, balance as number]));
      return { held, expected: Object.fromEntries(expected), transfers: transfers.length };
    });
  }

  #asRequest<T>(fn: (em: SqlEntityManager) => Promise<T>): Promise<T> {
    return runAs({ tenant: this.tenant, actor: { id: 'spec', type: 'user' } }, () => fn(this.#entityManager.get()));
  }
}
