import { describe, expect, it } from '@jest/globals';
import { eachEngine } from '#libs/testing';
import { Account } from './audit.model.js';
import { type AuditWorld, anAuditWorld } from './audit-world.js';
import { controls } from './controls.js';
import { rowsOf, statesOf } from './folded-trail.js';
import { Dice, RandomWork, roots } from './random-work.js';

const HISTORIES = 2;
const UNITS_OF_WORK = 20;

const seed = Number(process.env.PROPERTY_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** A random history; a failure names the seed that repeats the whole run, and what was done. */
async function expectTold(world: AuditWorld, ownSeed: number): Promise<void> {
  const work = new RandomWork(world, new Dice(ownSeed));
  try {
    for (let unit = 0; unit < UNITS_OF_WORK; unit++) await work.run();
    expect(await statesOf(world)).toEqual(await rowsOf(world));
  } catch (error) {
    const hint = `PROPERTY_SEED=${seed} repeats it; done: ${work.log.join(', ')}`;
    throw new Error(`${(error as Error).message}\n${hint}`, { cause: error });
  }
}

describe('the trail of a random history, folded, is the rows', () => {
  eachEngine((engine) => {
    const aWorld = anAuditWorld(engine);
    for (let history = 0; history < HISTORIES; history++) {
      it(`${UNITS_OF_WORK} units of work, seed ${seed} (${history + 1} of ${HISTORIES})`, async () =>
        expectTold(await aWorld(), seed + history));
    }
  });

  describe('red under a control', () => {
    eachEngine(
      (engine) => {
        for (const name of ['silent', 'outside', 'forgetful'] as const) {
          const aWorld = anAuditWorld(engine, { control: controls[name] });
          it(name, async () => {
            // One history may happen to end without what the control gets wrong.
            const outcomes = await Promise.allSettled(
              [1, 2].map(async (ownSeed) => expectTold(await aWorld(), ownSeed)),
            );
            expect(outcomes.map(({ status }) => status)).toContain('rejected');
          });
        }
      },
      ['sqlite'],
    );
  });

  it('is about every class of the model that is audited', () => {
    expect(roots).toContain(Account);
  });
});
