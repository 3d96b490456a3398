import type { EntityMetadata } from '@mikro-orm/core';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { type ContextTenant, findContext } from '#libs/context';
import type { Change, ChangeSubscriber, TransactionScope } from '#libs/persistence';
import { AUDIT_MODULE_OPTIONS, type AuditModuleOptions } from '../audit.options.js';
import { AuditPolicy } from '../policy/audit-policy.js';
import { changesTextOf } from './changes-text.js';
import { insertEntries } from './entry-table.js';
import { circumstancesOf, type Happening, toEntityId } from './new-entry.js';

/**
 * Writes one audit entry for every changed row of an audited class, in the transaction that changes it, by one statement.
 * When the entries cannot be written the transaction rolls back: there is no change without its entry.
 *
 * Give it to the `ChangeEventsSubscriber` of every ORM that holds tenants' rows. It keeps nothing of any work, so one serves
 * all.
 */
@Injectable()
export class AuditRecorder implements ChangeSubscriber {
  readonly #listeners: ((tenant: ContextTenant) => void)[] = [];

  /** @param options  with `keys`, entries are stamped for the sealer */
  constructor(@Optional() @Inject(AUDIT_MODULE_OPTIONS) private readonly options: AuditModuleOptions = {}) {}

  /** Calls `listener` after every commit for a tenant, whether it wrote entries or not. It must not throw. */
  onCommitted(listener: (tenant: ContextTenant) => void): void {
    this.#listeners.push(listener);
  }

  afterCommit(): void {
    const tenant = findContext()?.tenant;
    if (tenant) for (const listener of this.#listeners) listener(tenant);
  }

  wants(meta: EntityMetadata): boolean {
    return AuditPolicy.isAudited(meta);
  }

  /** @throws {UnknownAuditedPropertyError} so that the transaction rolls back */
  async beforeCommit(changes: readonly Change[], scope: TransactionScope): Promise<void> {
    const happenings = changes.flatMap((change) => happeningOf(change) ?? []);
    const { entityManager, transaction } = scope;
    const { keys } = this.options;
    await insertEntries({ entityManager, transaction, keys }, happenings, circumstancesOf(findContext()));
  }
}

function happeningOf(change: Change): Happening | undefined {
  const { kind, key, meta } = change;
  const changes = changesTextOf(change, AuditPolicy.of(meta));
  if (changes === undefined) return undefined;
  const tenantId = key.tenantId as string;
  return { tenantId, action: kind, entityName: meta.className, entityId: toEntityId(change), changes };
}
