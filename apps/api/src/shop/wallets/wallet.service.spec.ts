import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { AuditEntry, AuditRecorder } from '#libs/audit';
import { runAs } from '#libs/context';
import { getEngine, ormOptions, runInSystemFrame } from '#libs/persistence';
import { ShardRegistry, ShardUnavailableError } from '#libs/sharding';
import { IsolationStrategies, type TenantRecord } from '#libs/tenancy';
import { aTenant, createTestDatabase, eachEngine, type TestDatabase } from '#libs/testing';
import { readConfig } from '../../config/app.config.js';
import { PlacedEntityManager } from '../../storage/placed-entity-manager.js';
import { ShardReadiness } from '../../storage/shard-readiness.js';
import { ShardTenantDatabases } from '../../storage/shard-tenant-databases.js';
import { tenantOrmOptions } from '../../storage/tenant-orm-options.js';
import { InsufficientFundsError } from '../errors/insufficient-funds.error.js';
import { Transfer } from './transfer.entity.js';
import { Wallet } from './wallet.entity.js';
import { WalletService } from './wallet.service.js';

const WALLETS = 20;
const EACH = 100;
const TRANSFERS = 200;

/** A wallet's money must be explained by what is on record, to the cent: a lost update shows here. */
type Books = Readonly<Record<string, number>>;

/** Small and seeded, so that a failing run can be had again (mulberry32). */
function aRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

describe('money', () => {
  eachEngine((engine) => {
    let database: TestDatabase;
    let shards: ShardRegistry;
    let entityManager: PlacedEntityManager;
    let service: WalletService;
    let tenant: TenantRecord;
    beforeAll(async () => {
      database = await createTestDatabase(engine);
      // As the application opens a shard: migrated, guarded, audited.
      shards = new ShardRegistry({
        shards: [{ id: 'shard-1', url: database.url }],
        ormOptions: ({ url }) =>
          ormOptions(url, { ...tenantOrmOptions(getEngine(url), new AuditRecorder()), logger: () => {} }),
      });
      await runInSystemFrame('migrate', () => shards.get('shard-1').migrator.up());
      const databases = new ShardTenantDatabases(readConfig({}), shards, new AuditRecorder());
      entityManager = new PlacedEntityManager(new IsolationStrategies(databases), new ShardReadiness());
      service = new WalletService(entityManager);
    });
    afterAll(async () => {
      await shards.close();
      await database.drop();
    });
    beforeEach(() => {
      const { id, slug } = aTenant();
      const placement = { tenantId: id, strategy: 'row', shardId: 'shard-1', epoch: 1, state: 'active' } as const;
      tenant = { id, slug, name: slug, status: 'active', placement };
    });

    /** As a request: with a context and a unit of work of its own. */
    const asRequest = <T>(fn: () => Promise<T>) => runAs({ tenant, actor: { id: 'spec', type: 'user' } }, fn);
    const read = <T>(fn: (em: SqlEntityManager) => Promise<T>) => asRequest(() => fn(entityManager.get()));

    async function someWallets(count: number, balance: number): Promise<string[]> {
      return asRequest(async () => {
        const wallets = Array.from({ length: count }, () => new Wallet('EUR'));
        for (const wallet of wallets) wallet.deposit(balance);
        await entityManager.get().persist(wallets).flush();
        return wallets.map(({ id }) => id);
      });
    }

    /** What the wallets hold, and what they should hold by the transfers on record. */
    const closeBooks = (start: number) =>
      read(async (em) => {
        const wallets = await em.find(Wallet, {});
        const transfers = await em.find(Transfer, {});
        const expected = new Map(wallets.map(({ id }): [string, number] => [id, start]));
        for (const { from, to, money } of transfers) {
          expected.set(from.id, Number(expected.get(from.id)) - money.amount);
          expected.set(to.id, Number(expected.get(to.id)) + money.amount);
        }
        const held: Books = Object.fromEntries(wallets.map(({ id, balance }) => [id, balance]));
        return { held, expected: Object.fromEntries(expected) as Books, transfers: transfers.length };
      });

    /** A shard that failed several times is left alone for a moment: asks until it is served again. */
    const onceServed = async <T>(fn: () => Promise<T>): Promise<T> => {
      for (;;) {
        try {
          return await fn();
        } catch (error) {
          if (!(error instanceof ShardUnavailableError)) throw error;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    };

    /** Transfers between random wallets, all at once. */
    const moveMoney = (wallets: readonly string[], random: (below: number) => number) =>
      Array.from({ length: TRANSFERS }, () => {
        const from = random(wallets.length);
        const to = (from + 1 + random(wallets.length - 1)) % wallets.length;
        const transfer = { from: String(wallets[from]), to: String(wallets[to]), amount: 1 + random(80) };
        return asRequest(() => service.transfer(transfer));
      });

    function expectWhole({ held, expected }: { held: Books; expected: Books }): void {
      expect(held).toEqual(expected);
      const balances = Object.values(held);
      expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(WALLETS * EACH);
      expect(Math.min(...balances)).toBeGreaterThanOrEqual(0);
    }

    it('is neither made nor lost by 200 concurrent transfers among 20 wallets', async () => {
      const wallets = await someWallets(WALLETS, EACH);
      const results = await Promise.allSettled(moveMoney(wallets, aRandom(7)));
      const failures = results.filter((result) => result.status === 'rejected');
      // Locks are taken in one order: nobody is in anybody's way, and all that can fail is the balance.
      expect(failures.map(({ reason }) => reason).filter((it) => !(it instanceof InsufficientFundsError))).toEqual([]);
      expect(failures.length).toBeLessThan(TRANSFERS / 2);
      const books = await closeBooks(EACH);
      expectWhole(books);
      expect(books.transfers).toBe(TRANSFERS - failures.length);
      const changes = await read((em) => em.count(AuditEntry, { entityName: 'Wallet', action: 'update' }));
      expect(changes).toBe(2 * books.transfers);
    });

    it('cannot be spent twice', async () => {
      const [purse, ...others] = await someWallets(4, EACH);
      const results = await Promise.allSettled(
        others.map((to) => asRequest(() => service.transfer({ from: String(purse), to, amount: EACH }))),
      );
      expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected']);
      const { held, expected } = await closeBooks(EACH);
      expect(held).toEqual(expected);
      expect(held[String(purse)]).toBe(0);
    });

    it('is not negative, even for code that forgets to look', async () => {
      const [purse] = await someWallets(1, EACH);
      const overdraw = read(async (em) => {
        Object.assign(await em.findOneOrFail(Wallet, { id: purse }), { balance: -1 });
        await em.flush();
      });
      await expect(overdraw).rejects.toThrow(/wallet_balance_check/);
    });

    it('is not lost to those who change a wallet without its lock', async () => {
      const [purse] = await someWallets(1, EACH);
      const change = async (amount: number) => {
        await read(async (em) => {
          const wallet = await em.findOneOrFail(Wallet, { id: purse });
          // Somebody else comes first.
          if (amount === 1) await change(2);
          wallet.deposit(amount);
          await em.flush();
        });
      };
      await expect(change(1)).rejects.toThrow(/optimistic lock/);
      expect((await closeBooks(EACH)).held[String(purse)]).toBe(EACH + 2);
    });

    if (engine.name !== 'sqlite') {
      it('is neither made nor lost when all connections are cut off, again and again', async () => {
        const wallets = await someWallets(WALLETS, EACH);
        const admin = await MikroORM.init<AbstractSqlDriver>(
          ormOptions(database.url, { entities: [], discovery: { warnWhenNoEntities: false } }),
        );
        const em = admin.em.fork() as SqlEntityManager;
        const list =
          engine.name === 'postgresql'
            ? 'select pid as id from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'
            : 'select id from information_schema.processlist where db = database() and id <> connection_id()';
        const cut = (id: number) =>
          em
            .execute(engine.name === 'postgresql' ? `select pg_terminate_backend(${id})` : `kill ${id}`)
            .catch(() => {});
        let cuts = 0;
        const all = Promise.allSettled(moveMoney(wallets, aRandom(11)));
        let isOver = false;
        const done = all.then(() => {
          isOver = true;
        });
        while (!isOver && cuts < 30) {
          for (const { id } of (await em.execute(list)) as { id: number }[]) {
            await cut(id);
            cuts++;
          }
          await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 20))]);
        }
        const results = await all;
        await admin.close(true);
        const succeeded = results.filter(({ status }) => status === 'fulfilled').length;
        expect(cuts).toBeGreaterThan(0);
        const books = await onceServed(() => closeBooks(EACH));
        expectWhole(books);
        // Who was cut off while committing does not know, but nobody was told of success in vain.
        expect(books.transfers).toBeGreaterThanOrEqual(succeeded);
        expect(succeeded).toBeLessThan(TRANSFERS);
        // And the pool is whole: as many deposits as it has connections go through, at once, once the last cut is noticed.
        const again = Array.from({ length: 10 }, (_, index) =>
          onceServed(() => asRequest(() => service.deposit(String(wallets[index]), 1))),
        );
        await Promise.all(again);
      });
    }
  });
});
