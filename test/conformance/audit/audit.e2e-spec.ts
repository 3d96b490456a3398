import { describe, it } from '@jest/globals';
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

const groups = {
  changes: changeCases,
  relations: relationCases,
  'bulk writes': bulkCases,
  'by-passes': byPassCases,
  transactions: transactionCases,
  context: contextCases,
  pauses: pauseCases,
  secrets: secretCases,
  'the trail': trailCases,
  versions: versionCases,
};

describe('audit', () => {
  eachEngine((engine) => {
    const aWorld = anAuditWorld(engine);
    for (const [group, cases] of Object.entries(groups)) {
      describe(group, () => {
        for (const { title, run } of cases) it(title, () => run(aWorld()));
      });
    }
  });
});
