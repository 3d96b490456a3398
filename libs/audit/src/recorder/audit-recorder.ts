import type { EntityMetadata } from '@mikro-orm/core';
import { Injectable } from '@nestjs/common';
import { findContext } from '#libs/context';
import type { Change, ChangeSubscriber, TransactionScope } from '#libs/persistence';
import { AuditPolicy } from '../policy/audit-policy.js';
import { insertEntries } from './entry-table.js';
import { type Circumstances, circumstancesOf, type NewEntry, toEntityId, toNewEntry } from './new-entry.js';
import { recordedChangesOf } from './recorded-changes-of.js';

/**
 * Writes one audit entry for every changed row of an audited class, in the transaction that changes it, by one statement.
 * When the entries cannot be written the transaction rolls back: there is no change without its entry.
 *
 * Give it to the `ChangeEventsSubscriber` of every ORM that holds tenants' rows. It keeps no state, so one serves all.
 */
@Injectable()
export class AuditRecorder implements ChangeSubscriber {
  wants(meta: EntityMetadata): boolean {
    return AuditPolicy.isAudited(meta);
  }

  /** @throws {UnknownAuditedPropertyError} so that the transaction rolls back */
  async beforeCommit(changes: readonly Change[], scope: TransactionScope): Promise<void> {
    const circumstances = circumstancesOf(findContext());
    const entries = changes.flatMap((change) => entryOf(change, circumstances) ?? []);
    await insertEntries(scope.entityManager, scope.transaction, entries);
  }
}

function entryOf(change: Change, circumstances: Circumstances): NewEntry | undefined {
  const changes = recordedChangesOf(change, AuditPolicy.of(change.meta));
  if (!changes) return undefined;
  const tenantId = change.key.tenantId as string;
  const { kind: action, meta } = change;
  return toNewEntry(
    { tenantId, action, entityName: meta.className, entityId: toEntityId(change), changes },
    circumstances,
  );
}
