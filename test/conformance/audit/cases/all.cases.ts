import type { AuditCase } from '../audit-case.js';
import { bulkCases } from './bulk.cases.js';
import { byPassCases } from './by-passes.cases.js';
import { changeCases } from './changes.cases.js';
import { contextCases } from './context.cases.js';
import { pauseCases } from './pause.cases.js';
import { relationCases } from './relations.cases.js';
import { secretCases } from './secrets.cases.js';
import { trailCases } from './trail.cases.js';
import { transactionCases } from './transactions.cases.js';
import { versionCases } from './versions.cases.js';

/** Every promise of the audit trail, by what it is about. */
export const auditCases: Readonly<Record<string, readonly AuditCase[]>> = {
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
