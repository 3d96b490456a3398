import { describe, expect, it } from '@jest/globals';
import type { IsolationStrategyName } from '#libs/tenancy';
import { eachEngine, strategiesOf, type TestEngine } from '#libs/testing';
import { anAuditWorld } from './audit-world.js';
import { auditCases } from './cases/all.cases.js';
import { type ControlName, controls } from './controls.js';

const all = Object.values(auditCases).flat();
/** A case must fail by what it expects, not by tripping over the double. */
const EXPECTATION = /expect\(|^Expected \d+ statements/;

async function failureOf(run: Promise<void>): Promise<string> {
  return run.then(
    () => 'it passed',
    (error: Error) => error.message,
  );
}

/** A place of its own keeps these even from a trail that asks for the entries of everybody. */
const WALLED = new Set(['asks for a tenant before it sends any SQL', "knows no version of another tenant's entity"]);

// The cases are the same everywhere: that they can fail needs no proof on more than one engine.
describe('every case of the audit suite can fail', () => {
  eachEngine(
    (engine) => {
      for (const strategy of strategiesOf(engine)) {
        describe(`with the ${strategy} strategy`, () => declareControls(engine, strategy));
      }
    },
    ['sqlite'],
  );
});

function declareControls(engine: TestEngine, strategy: IsolationStrategyName): void {
  const able = all.filter(({ title }) => strategy === 'row' || !WALLED.has(title));
  for (const control of Object.keys(controls) as ControlName[]) {
    const cases = able.filter((it) => it.control === control);
    if (cases.length === 0) continue;
    describe(`under the control "${control}"`, () => {
      const aWorld = anAuditWorld(engine, { strategy, control: controls[control] });

      for (const { title, run } of cases) {
        it(`red: ${title}`, async () => expect(await failureOf(run(await aWorld()))).toMatch(EXPECTATION));
      }
    });
  }
}
