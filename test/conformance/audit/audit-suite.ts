import { describe, it } from '@jest/globals';
import type { IsolationStrategyName } from '#libs/tenancy';
import { eachStrategy } from '#libs/testing';
import { anAuditWorld } from './audit-world.js';
import { auditCases } from './cases/all.cases.js';

/**
 * Declares every case of the audit trail on each engine that can express these strategies. Three spec files share it only so
 * that workers can share them.
 */
export function declareAuditCases(...strategies: readonly IsolationStrategyName[]): void {
  describe('audit', () => {
    eachStrategy((strategy, engine) => {
      const aWorld = anAuditWorld(engine, { strategy });
      for (const [group, cases] of Object.entries(auditCases)) {
        describe(group, () => {
          for (const { title, run } of cases) it(title, async () => run(await aWorld()));
        });
      }
    }, strategies);
  });
}
