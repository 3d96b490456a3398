import type { EntityMetadata } from '@mikro-orm/core';
import { Injectable } from '@nestjs/common';
import { findContext } from '#libs/context';
import type { Change, ChangeSubscriber, TransactionScope } from '#libs/persistence';
import { AuditPolicy } from '../policy/audit-policy.js';
import { changesTextOf } from './changes-text.js';
import { insertEntries } from './entry-table.js';
import { circumstancesOf, type Happening, toEntityId } from './new-entry.js';

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
    const happenings = changes.flatMap((change) => happeningOf(change) ?? []);
    await insertEntries(scope, happenings, circumstancesOf(findContext()));
  }
}

function happeningOf(change: Change): Happening | undefined {
  const { kind, key, meta } = change;
  const changes = changesTextOf(change, AuditPolicy.of(meta));
  if (changes === undefined) return undefined;
  const tenantId = key.tenantId as string;
  return { tenantId, action: kind, entityName: meta.className, entityId: toEntityId(change), changes };
}
