import { beforeEach, describe, expect, it } from '@jest/globals';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { Kysely } from 'kysely';
import { aDatabase, eachEngine } from '#libs/testing';
import { onCommit } from '../events/announce-changes.js';
import { Ledger, ledgerModel, RecordingSubscriber } from '../events/change-events.fixture.js';
import { ChangeEventsSubscriber } from '../events/change-events.subscriber.js';
import type { ChangeSubscriber } from '../events/change-subscriber.js';
import { bindUnitOfWork } from './bind-unit-of-work.js';
import { transactional } from './transactional.js';

interface Tables {
  ledger: { name: string; balance: number };
}

/** Refuses whatever would be committed while it is told to. */
class Refusing implements ChangeSubscriber {
  refuses = false;

  beforeCommit(): void {
    if (this.refuses) throw new Error('not on record');
  }
}

describe('a unit of work bound to', () => {
  eachEngine((engine) => {
    const seen = new RecordingSubscriber();
    const refusing = new Refusing();
    const database = aDatabase(engine, ledgerModel, {
      subscribers: [
        new ChangeEventsSubscriber({
          subscribers: [refusing, seen],
          onError: (error) => {
            throw error;
          },
        }),
      ],
    });
    const other = aDatabase(engine, ledgerModel);
    let em: SqlEntityManager;
    let told: string[];
    beforeEach(async () => {
      em = database.fork();
      await em.nativeDelete(Ledger, {});
      seen.take();
      told = [];
      refusing.refuses = false;
    });

    const kysely = () => em.getKysely<Tables>();
    const insert = (on: Kysely<Tables>, name: string) => on.insertInto('ledger').values({ name, balance: 0 }).execute();
    const left = async () => {
      const all = await database.fork().find(Ledger, {}, { orderBy: { id: 'asc' } });
      return all.map(({ name }) => name);
    };
    const add = (name: string) => async (tx: SqlEntityManager) => {
      tx.create(Ledger, { name });
      onCommit(tx, () => told.push(name));
    };
    /** Nobody waits for what is told of a commit that is not ours. */
    const untilTold = async (events: readonly string[]) => {
      for (let round = 0; round < 200 && seen.events.length < events.length; round++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      expect(seen.events).toEqual(events);
    };

    describe('a transaction', () => {
      it('writes in it, sees what it has written, and tells of the commit when there is one', async () => {
        const transaction = await kysely().startTransaction().execute();
        await insert(transaction, 'by Kysely');
        const found = await bindUnitOfWork(em, transaction, async (tx) => {
          await add('by the unit of work')(tx);
          return tx.count(Ledger, { name: 'by Kysely' });
        });
        const rows = await transaction
          .selectFrom('ledger')
          .select('name')
          .orderBy('id' as never)
          .execute();
        expect([found, rows.map(({ name }) => name)]).toEqual([1, ['by Kysely', 'by the unit of work']]);
        expect([seen.events, told]).toEqual([['beforeCommit 1 in savepoint'], []]);
        await transaction.commit().execute();
        await untilTold(['beforeCommit 1 in savepoint', 'afterCommit']);
        expect(told).toEqual(['by the unit of work']);
        expect(seen.take()).toMatchObject([{ kind: 'create', entity: 'Ledger', new: { name: 'by the unit of work' } }]);
        expect(await left()).toEqual(['by Kysely', 'by the unit of work']);
      });

      it('leaves nothing, and tells of no commit, when its owner rolls back', async () => {
        const transaction = await kysely().startTransaction().execute();
        await bindUnitOfWork(em, transaction, add('gone'));
        await transaction.rollback().execute();
        await untilTold(['beforeCommit 1 in savepoint', 'afterRollback']);
        expect([told, await left()]).toEqual([[], []]);
      });

      it('undoes its own part when it fails, and leaves the rest to the owner', async () => {
        const transaction = await kysely().startTransaction().execute();
        await bindUnitOfWork(em, transaction, add('first'));
        const failing = bindUnitOfWork(em, transaction, async (tx) => {
          await add('second')(tx);
          await tx.flush();
          throw new Error('changed its mind');
        });
        await expect(failing).rejects.toThrow('changed its mind');
        await bindUnitOfWork(em, transaction, add('third'));
        await transaction.commit().execute();
        await untilTold([
          'beforeCommit 1 in savepoint',
          'afterRollback of savepoint',
          'beforeCommit 1 in savepoint',
          'afterCommit',
        ]);
        expect([told, await left()]).toEqual([
          ['first', 'third'],
          ['first', 'third'],
        ]);
      });

      it('goes with a savepoint that its owner rolls back', async () => {
        const transaction = await kysely().startTransaction().execute();
        await bindUnitOfWork(em, transaction, add('before'));
        const marked = await transaction.savepoint('mark').execute();
        await bindUnitOfWork(em, marked, add('after'));
        await marked.rollbackToSavepoint('mark').execute();
        await transaction.commit().execute();
        await untilTold(['beforeCommit 1 in savepoint', 'beforeCommit 1 in savepoint', 'afterCommit', 'afterCommit']);
        expect([told, await left()]).toEqual([['before'], ['before']]);
      });

      it('keeps nothing of a part that cannot be put on record, even when its owner commits', async () => {
        const transaction = await kysely().startTransaction().execute();
        refusing.refuses = true;
        await expect(bindUnitOfWork(em, transaction, add('secret'))).rejects.toThrow('not on record');
        await transaction.commit().execute();
        expect([told, await left()]).toEqual([[], []]);
      });

      it('is a savepoint of one that was begun here', async () => {
        await transactional(em, async (tx) => {
          await bindUnitOfWork(em, tx.getKysely(), add('inner'));
          await expect(
            bindUnitOfWork(em, tx.getKysely(), async (part) => {
              await add('undone')(part);
              await part.flush();
              throw new Error('no');
            }),
          ).rejects.toThrow('no');
        });
        expect([told, await left()]).toEqual([['inner'], ['inner']]);
      });

      it('may hold transactions of its own, and work that finds it by itself', async () => {
        const transaction = await kysely().startTransaction().execute();
        await bindUnitOfWork(em, transaction, async (tx) => {
          await transactional(em, add('found'));
          await transactional(tx, add('nested'));
        });
        await transaction.commit().execute();
        await untilTold(['beforeCommit 2 in savepoint', 'afterCommit']);
        expect([told, await left()]).toEqual([
          ['found', 'nested'],
          ['found', 'nested'],
        ]);
      });
    });

    describe('a connection', () => {
      it('is a transaction on it, and then another', async () => {
        await kysely()
          .connection()
          .execute(async (connection) => {
            await bindUnitOfWork(em, connection, add('one'));
            await expect(
              bindUnitOfWork(em, connection, async (tx) => {
                await add('lost')(tx);
                await tx.flush();
                throw new Error('no');
              }),
            ).rejects.toThrow('no');
            const rows = await connection.selectFrom('ledger').select('name').execute();
            expect([told, rows]).toEqual([['one'], [{ name: 'one' }]]);
            await bindUnitOfWork(em, connection, add('two'));
          });
        expect([told, await left()]).toEqual([
          ['one', 'two'],
          ['one', 'two'],
        ]);
        expect(seen.events.filter((event) => event === 'afterCommit')).toHaveLength(2);
      });
    });

    it('each transaction of a connection that its owner keeps ends as that one does', async () => {
      await kysely()
        .connection()
        .execute(async (connection) => {
          const kept = await connection.startTransaction().execute();
          await bindUnitOfWork(em, kept, add('kept'));
          await kept.commit().execute();
          const undone = await connection.startTransaction().execute();
          await bindUnitOfWork(em, undone, add('undone'));
          await undone.rollback().execute();
        });
      await untilTold(['beforeCommit 1 in savepoint', 'beforeCommit 1 in savepoint', 'afterCommit', 'afterRollback']);
      expect([told, await left()]).toEqual([['kept'], ['kept']]);
    });

    it('one of another database is refused before any SQL', async () => {
      const foreign = await other.fork().getKysely<Tables>().startTransaction().execute();
      const statements = await other.statementsOf(async () => {
        await expect(bindUnitOfWork(em, foreign, add('astray'))).rejects.toMatchObject({ code: 'connection_mismatch' });
      });
      await foreign.rollback().execute();
      expect(statements).toEqual([]);
    });
  });
});
