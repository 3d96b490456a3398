import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { aDatabase, eachEngine, shopModel } from '#libs/testing';
import { runAlone } from './run-alone.js';

describe('work done alone', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, shopModel);

    it('is done by one after the other, and by the next one also after a failure', async () => {
      const log: string[] = [];
      const work = (name: string, fails = false) =>
        runAlone(database.url, 'spec', async () => {
          log.push(`${name} begins`);
          await sleep(10);
          log.push(`${name} ends`);
          if (fails) throw new Error(name);
        });
      const results = await Promise.allSettled([work('a', true), work('b'), work('c')]);
      expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
      expect(log).toHaveLength(6);
      for (let i = 0; i < 6; i += 2) expect(log[i + 1]).toBe(log[i]?.replace('begins', 'ends'));
    });

    it('is done alone for as long as it takes, with nothing sent meanwhile', async () => {
      let isDone = false;
      const long = runAlone(database.url, 'long', async () => {
        // Longer than the second after which a pool looks for connections that nobody uses.
        await sleep(1_500);
        isDone = true;
      });
      await sleep(50);
      await runAlone(database.url, 'long', async () => expect(isDone).toBe(true));
      await long;
    });

    it('may contain work of another name', async () => {
      const inner = () => runAlone(database.url, 'inner', async () => 'done');
      expect(await runAlone(database.url, 'outer', inner)).toBe('done');
    });
  });
});
