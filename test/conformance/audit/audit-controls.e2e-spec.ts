import { describe, expect, it } from '@jest/globals';
import { eachEngine } from '#libs/testing';
import { anAuditWorld } from './audit-world.js';
import { bulkCases } from './cases/bulk.cases.js';
import { byPassCases } from './cases/by-passes.cases.js';
import { changeCases } from './cases/changes.cases.js';
import { contextCases } from './cases/context.cases.js';
import { pauseCases } from './cases/pause.cases.js';
import { relationCases } from './cases/relations.cases.js';
import { secretCases } from './cases/secrets.cases.js';
import { trailCases } from './cases/trail.cases.js';
import { transactionCases } from './cases/transactions.cases.js';
import { versionCases } from './cases/versions.cases.js';
import { type ControlName, controls } from './controls.js';

const all = [
  ...changeCases,
  ...relationCases,
  ...bulkCases,
  ...byPassCases,
  ...transactionCases,
  ...contextCases,
  ...pauseCases,
  ...secretCases,
  ...trailCases,
  ...versionCases,
];
/** A case must fail by what it expects, not by tripping over the double. */
const EXPECTATION = /expect\(|^Expected \d+ statements/;

async function failureOf(run: Promise<void>): Promise<string> {
  return run.then(
    () => 'it passed',
    (error: Error) => error.message,
  );
}

// The cases are the same everywhere, so that they can fail needs no proof on more than one engine.
describe('every case of the audit suite can fail', () => {
  eachEngine(
    (engine) => {
      for (const control of Object.keys(controls) as ControlName[]) {
        describe(`under the control "${control}"`, () => {
          const aWorld = anAuditWorld(engine, controls[control]);
          const cases = all.filter((it) => it.control === control);

          it('is the control of at least one case', () => expect(cases).not.toEqual([]));

          for (const { title, run } of cases) {
            it(`red: ${title}`, async () => expect(await failureOf(run(aWorld()))).toMatch(EXPECTATION));
          }
        });
      }
    },
    ['sqlite'],
  );
});
