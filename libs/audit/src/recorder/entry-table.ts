import type { Transaction } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { appendRows } from '#libs/persistence';
import { AuditEntry } from '../entities/audit-entry.entity.js';
import { type EntryId, nextEntryId } from '../entry-id.js';
import type { AuditKeys } from '../sealing/audit-keys.js';
import { entryTextsOf } from '../sealing/entry-text.js';
import type { Circumstances, Happening } from './new-entry.js';

/** Where entries go: the transaction of the work they tell of. */
export interface EntryTarget {
  readonly entityManager: SqlEntityManager;
  readonly transaction: Transaction;
  /** With what entries are stamped, so that the sealer knows them again. */
  readonly keys?: AuditKeys | undefined;
}

/** Rows at once, so that a transaction which changes very many does not hold all texts twice. */
const ROWS_AT_ONCE = 2000;

/** Writes entries on a transaction, by as few statements as the engine needs; a hundred take one everywhere. */
export async function insertEntries(
  target: EntryTarget,
  happenings: readonly Happening[],
  circumstances: Circumstances,
): Promise<void> {
  for (let start = 0; start < happenings.length; start += ROWS_AT_ONCE) {
    const rows = happenings.slice(start, start + ROWS_AT_ONCE);
    const ids = rows.map(nextEntryId);
    // Nearly always one tenant: of several, only work across tenants writes rows in one transaction.
    const [{ tenantId }] = rows as [Happening];
    const isOneTenants = rows.every((row) => row.tenantId === tenantId);
    await appendRows(target, AuditEntry, {
      count: rows.length,
      own: {
        ...(!isOneTenants && { tenantId: rows.map((row) => row.tenantId) }),
        id: ids.map(({ id }) => id),
        occurredAt: ids.map(({ occurredAt }) => occurredAt),
        action: rows.map((row) => row.action),
        entityName: rows.map((row) => row.entityName),
        entityId: rows.map((row) => row.entityId),
        changes: rows.map((row) => row.changes),
        ...(target.keys && { stamp: stampsOf(target.keys, rows, ids, circumstances) }),
      },
      shared: isOneTenants ? { ...circumstances, tenantId } : circumstances,
    });
  }
}

/** One for each entry, over all that it says. */
function stampsOf(
  keys: AuditKeys,
  rows: readonly Happening[],
  ids: readonly EntryId[],
  circumstances: Circumstances,
): string[] {
  const ring = keys.ring();
  const textOf = entryTextsOf(circumstances);
  return rows.map(({ tenantId, action, entityName, entityId, changes }, index) => {
    const { id, occurredAt } = ids[index] as EntryId;
    // As it will be read back: half a surrogate pair does not survive UTF-8.
    const key = entityId?.toWellFormed() ?? null;
    return ring.stamp(textOf([tenantId, id, occurredAt.getTime(), action, entityName ?? null, key, changes]));
  });
}
