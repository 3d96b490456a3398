import { fork } from 'node:child_process';
import { once } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { type ContextTenant, runAs } from '#libs/context';
import { aDatabase, aTenant, eachEngine } from '#libs/testing';
import { bulkInsert } from '../bulk/bulk-insert.js';
import { newId } from '../entities/new-id.js';
import { transactional } from '../transactions/transactional.js';
import { runInSteps } from './run-in-steps.js';
import { Parcel, stepsModel, Weighing, weigh } from './steps.fixture.js';
import { WorkProgress } from './work-progress.entity.js';
import { workThrough } from './work-through.js';

describe('long work', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, stepsModel);
    let tenant: ContextTenant;
    beforeEach(() => {
      tenant = aTenant();
    });

    const as = <T>(fn: (em: SqlEntityManager) => Promise<T>, who = tenant) =>
      runAs({ tenant: who, actor: { id: 'job', type: 'system' } }, () => fn(database.fork()));
    const parcels = (count: number, who = tenant) =>
      as(
        (em) =>
          bulkInsert(
            em,
            Parcel,
            Array.from({ length: count }, () => ({ id: newId() })),
          ),
        who,
      );
    /** How often each parcel was weighed, by itself and by the record. */
    const weighed = async () => {
      const em = database.fork();
      const found = await em.find(Parcel, { tenantId: tenant.id }, { orderBy: { id: 'asc' } });
      const records = await em.find(Weighing, { tenantId: tenant.id });
      return found.map(({ id, weighed }) => [weighed, records.filter(({ parcelId }) => parcelId === id).length]);
    };
    const onceEach = (count: number) => Array.from({ length: count }, () => [1, 1]);

    it('hands each row over once, tells how far it is, and does nothing more when it is finished', async () => {
      await parcels(7);
      await parcels(2, aTenant());
      const told: unknown[] = [];
      const options = { onProgress: (progress: unknown) => void told.push(progress) };
      const end = { done: 7, isFinished: true };
      expect(await as((em) => weigh(em, options))).toEqual(end);
      expect(told).toEqual([...[3, 6, 7].map((done) => ({ done, isFinished: false })), end]);
      expect(await as((em) => weigh(em, options))).toEqual(end);
      expect(await weighed()).toEqual(onceEach(7));
    });

    it('goes on where a process was killed in the middle of a step', async () => {
      await parcels(40);
      for (const steps of [2, 3]) {
        const child = fork('libs/persistence/src/steps/weigh.child.ts', [database.url, tenant.id], {
          execPath: 'node_modules/node/bin/node',
          execArgv: ['--conditions=source', '--import', './bench/source-hooks.mjs'],
        });
        const exited = once(child, 'exit');
        let told = 0;
        child.on('message', () => {
          if (++told === steps) child.kill('SIGKILL');
        });
        expect(await exited).toEqual([null, 'SIGKILL']);
        const done = (await weighed()).filter(([times]) => times === 1).length;
        expect(done).toBeGreaterThanOrEqual(3 * steps);
        expect(done).toBeLessThan(40);
      }
      expect(await as((em) => weigh(em))).toEqual({ done: 40, isFinished: true });
      expect(await weighed()).toEqual(onceEach(40));
    }, 60_000);

    it('keeps the steps before one that fails, nothing of that one, and begins there again', async () => {
      await parcels(7);
      let calls = 0;
      const failing = as((em) =>
        weigh(em, {}, async () => {
          if (++calls === 2) throw new Error('the scales are broken');
        }),
      );
      await expect(failing).rejects.toThrow('the scales are broken');
      expect((await weighed()).map(([times]) => times)).toEqual([1, 1, 1, 0, 0, 0, 0]);
      await as((em) => weigh(em));
      expect(await weighed()).toEqual(onceEach(7));
    });

    it('is shared by those who do it at the same time', async () => {
      for (let round = 0; round < 5; round++) {
        tenant = aTenant();
        await parcels(30);
        const ends = await Promise.all([1, 2, 3, 4].map(() => as((em) => weigh(em))));
        expect(ends).toEqual(Array.from({ length: 4 }, () => ({ done: 30, isFinished: true })));
        expect(await weighed()).toEqual(onceEach(30));
      }
    });

    it('holds no more than a step in memory, and nothing in the unit of work of its caller', async () => {
      await parcels(9);
      const sizes: number[] = [];
      await as(async (em) => {
        const count = (it: SqlEntityManager) => it.getUnitOfWork().getIdentityMap().keys().length;
        await workThrough(em, Parcel, 'count', (_, tx) => void sizes.push(count(tx)), { chunkSize: 3 });
        expect(count(em)).toBe(0);
      });
      // Three parcels and the progress.
      expect(sizes).toEqual([4, 4, 4]);
    });

    it('stops after a step when it is told to, and resumes', async () => {
      await parcels(7);
      const stop = new AbortController();
      const onProgress = () => stop.abort();
      expect(await as((em) => weigh(em, { onProgress, signal: stop.signal }))).toEqual({ done: 3, isFinished: false });
      expect(await as((em) => weigh(em))).toEqual({ done: 7, isFinished: true });
      expect(await weighed()).toEqual(onceEach(7));
    });

    it('takes its position from the step before, of whatever kind it is', async () => {
      const lines = ['a', 'b', 'c', 'd', 'e'];
      const read: unknown[] = [];
      await as((em) =>
        runInSteps<{ line: number }>(em, 'import', async (_, from = { line: 0 }) => {
          const part = lines.slice(from.line, from.line + 2);
          read.push(part);
          return part.length === 0 ? undefined : { position: { line: from.line + part.length }, done: part.length };
        }),
      );
      expect(read).toEqual([['a', 'b'], ['c', 'd'], ['e'], []]);
      const [progress] = await database.fork().find(WorkProgress, { tenantId: tenant.id });
      expect(progress).toMatchObject({ name: 'import', done: 5, finishedAt: expect.any(Date) });
    });

    it('belongs to one tenant: the same name is another work elsewhere', async () => {
      const other = aTenant();
      await parcels(2);
      await parcels(4, other);
      expect((await as((em) => weigh(em), other)).done).toBe(4);
      expect(await weighed()).toEqual([
        [0, 0],
        [0, 0],
      ]);
      expect((await as((em) => weigh(em))).done).toBe(2);
    });

    it('is refused in a transaction, and without a tenant', async () => {
      await as((em) =>
        transactional(em, async (tx) => {
          await expect(weigh(tx)).rejects.toMatchObject({ code: 'transaction_nesting' });
        }),
      );
      await expect(weigh(database.fork())).rejects.toMatchObject({ code: 'no_context' });
    });
  });
});
