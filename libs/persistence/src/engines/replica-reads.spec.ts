import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { type ContextSeed, runInContext } from '#libs/context';
import { createTestDatabase, eachEngine, type TestDatabase } from '#libs/testing';
import { findByKey } from '../finder/find-by-key.js';
import { ormOptions } from '../orm-options.js';
import { Account } from '../transactions/account.fixture.js';
import { transactional } from '../transactions/transactional.js';
import { getEngine } from './engines.js';

/** A replica that is behind is one that says something else: where an answer comes from shows in the balance. */
const PRIMARY = 1;
const REPLICA = 2;

/** SQLite knows none. */
const SERVERS = ['postgresql', 'mariadb', 'mysql'] as const;

describe('reads with a replica', () => {
  eachEngine((engine) => {
    let databases: TestDatabase[];
    let orm: MikroORM<AbstractSqlDriver>;
    let actors = 0;

    function open(primary: string, replica: string): MikroORM<AbstractSqlDriver> {
      const replicas = [getEngine(replica).connectionOptions(replica)] as never;
      return new MikroORM<AbstractSqlDriver>(ormOptions(primary, { entities: [Account], replicas }));
    }
    beforeEach(async () => {
      databases = await Promise.all([createTestDatabase(engine), createTestDatabase(engine)]);
      for (const [at, balance] of [PRIMARY, REPLICA].entries()) {
        const alone = new MikroORM<AbstractSqlDriver>(ormOptions(databases[at]?.url ?? '', { entities: [Account] }));
        await alone.schema.create();
        await (alone.em.fork() as SqlEntityManager).persist(new Account(1, balance)).flush();
        await alone.close(true);
      }
      orm = open(databases[0]?.url ?? '', databases[1]?.url ?? '');
    });
    afterEach(async () => {
      await orm.close(true);
      for (const database of databases) await database.drop();
    });

    const fork = () => orm.em.fork() as SqlEntityManager;
    const read = async (em = fork()) => (await em.find(Account, {}))[0]?.balance;
    const readByKey = async () => ((await findByKey(fork(), Account, { id: 1 })) as Account | null)?.balance;
    const write = () => fork().nativeUpdate(Account, { id: 99 }, { balance: 0 });
    const anActor = () => ({ id: `actor-${++actors}`, type: 'user' as const });
    const as = <T>(seed: ContextSeed, work: () => Promise<T>) => runInContext({ actor: anActor(), ...seed }, work);

    it('go there in a request that only reads, by key and otherwise', async () => {
      expect(await as({ method: 'GET' }, () => read())).toBe(REPLICA);
      expect(await as({ method: 'HEAD' }, readByKey)).toBe(REPLICA);
      const qb = () => fork().createQueryBuilder(Account).select('*').execute('get') as Promise<{ balance: number }>;
      expect(Number((await as({ method: 'GET' }, qb)).balance)).toBe(REPLICA);
    });

    it('stay at the primary in a request that may write, in a job and without a context', async () => {
      expect(await as({ method: 'PATCH' }, () => read())).toBe(PRIMARY);
      expect(await as({}, readByKey)).toBe(PRIMARY);
      expect(await read()).toBe(PRIMARY);
    });

    it('stay at the primary once the request has written', () =>
      as({ method: 'GET' }, async () => {
        expect(await read()).toBe(REPLICA);
        await write();
        expect(await read()).toBe(PRIMARY);
        expect(await readByKey()).toBe(PRIMARY);
      }));

    it('stay at the primary for an actor who has just written, and for nobody else', async () => {
      const actor = anActor();
      await as({ method: 'POST', actor }, write);
      expect(await as({ method: 'GET', actor }, () => read())).toBe(PRIMARY);
      expect(await as({ method: 'GET' }, () => read())).toBe(REPLICA);
      const elsewhere = { id: 'other-tenant', slug: 'other' };
      expect(await as({ method: 'GET', actor, tenant: elsewhere }, () => read())).toBe(REPLICA);
    });

    it('stay at the primary in a transaction', () =>
      as({ method: 'GET' }, async () => {
        expect(await transactional(fork(), (em) => read(em))).toBe(PRIMARY);
      }));

    it('go to the primary while the replica is away', async () => {
      await orm.close(true);
      const url = databases[1]?.url ?? '';
      orm = open(databases[0]?.url ?? '', url.replace(/:\d+\//, ':1/'));
      expect(await as({ method: 'GET' }, () => read())).toBe(PRIMARY);
      expect(await as({ method: 'GET' }, readByKey)).toBe(PRIMARY);
      await expect(as({ method: 'GET' }, () => fork().find(Account, { nothing: 1 } as never))).rejects.toThrow();
    });
  }, SERVERS);
});
