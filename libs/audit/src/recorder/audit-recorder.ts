import type { EntityMetadata } from '@mikro-orm/core';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { type ContextTenant, findContext } from '#libs/context';
import { type Change, type ChangeSubscriber, runInSavepoint, type TransactionScope } from '#libs/persistence';
import { AUDIT_MODULE_OPTIONS, type AuditModuleOptions } from '../audit.options.js';
import { PersonalCover } from '../erasure/personal-cover.js';
import { PersonalKeys } from '../erasure/personal-keys.js';
import { AuditPolicy } from '../policy/audit-policy.js';
import { type AuditGap, publishGap } from './audit-gap.js';
import { sumUp } from './bulk-entry.js';
import { changesTextOf } from './changes-text.js';
import { type EntryTarget, insertEntries } from './entry-table.js';
import { GapLedger, toGapHappening } from './gap-ledger.js';
import { type Circumstances, circumstancesOf, type Happening, toEntityId } from './new-entry.js';
import { findPause } from './pause.js';

/**
 * Writes one audit entry for every changed row of an audited class, in the transaction that changes it, by one statement.
 * When the entries cannot be written the transaction rolls back, unless `onFailure` says otherwise: there is no change
 * without its entry.
 *
 * Give it to the `ChangeEventsSubscriber` of every ORM that holds tenants' rows. One serves all.
 */
@Injectable()
export class AuditRecorder implements ChangeSubscriber {
  readonly #options: AuditModuleOptions;
  readonly #gaps = new GapLedger();
  readonly #listeners: ((tenant: ContextTenant) => void)[] = [];

  /** @param options  with `keys`, entries are stamped for the sealer */
  constructor(
    @Optional() @Inject(AUDIT_MODULE_OPTIONS) options: AuditModuleOptions = {},
    @Optional() private readonly personalKeys: PersonalKeys = new PersonalKeys(),
  ) {
    this.#options = options;
  }

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

  /** @throws {UnknownAuditedPropertyError} so that the transaction rolls back, whatever `onFailure` says */
  async beforeCommit(changes: readonly Change[], scope: TransactionScope): Promise<void> {
    for (const [tenantId, own] of byTenant(changes)) await this.#record(tenantId, own, scope);
  }

  afterRollback(scope: TransactionScope): void {
    this.#gaps.giveBack(scope);
  }

  async #record(tenantId: string, changes: readonly Change[], scope: TransactionScope): Promise<void> {
    const recorded = withoutPaused(changes, scope);
    if (recorded.length === 0) return;
    const { rows, bulk } = sumUp(recorded, this.#options.maxRowEntries ?? Number.POSITIVE_INFINITY);
    const personal = await this.#cover(tenantId, rows, scope);
    const happenings = [...rows.flatMap((change) => happeningOf(change, personal) ?? []), ...bulk];
    const circumstances = personal.coverCircumstances();
    if (this.#options.onFailure !== 'log') return this.#insert(scope, happenings, circumstances);
    await this.#tryToInsert(scope, happenings, circumstances);
  }

  /** Keys for what is personal. Where a failure must not stop the change, it leaves out what it cannot cover. */
  async #cover(tenantId: string, changes: readonly Change[], scope: TransactionScope): Promise<PersonalCover> {
    const circumstances = circumstancesOf(findContext());
    const open = ({ entityManager, transaction }: EntryTarget) => {
      const onCommit = (callback: () => void) => scope.onCommit(callback);
      const target = { entityManager, transaction, onCommit, keys: this.#options.keys };
      return PersonalCover.open(target, this.personalKeys, tenantId, { changes, circumstances });
    };
    const isNeeded = PersonalCover.isNeeded(changes, this.#options);
    if (!isNeeded || this.#options.onFailure !== 'log') return open(scope);
    return runInSavepoint(scope, open).catch(() => PersonalCover.withheld(circumstances));
  }

  #insert({ entityManager, transaction }: EntryTarget, happenings: readonly Happening[], circumstances: Circumstances) {
    const { keys } = this.#options;
    return insertEntries({ entityManager, transaction, keys }, happenings, circumstances);
  }

  async #tryToInsert(scope: TransactionScope, happenings: readonly Happening[], circumstances: Circumstances) {
    const tenantIds = new Set(happenings.map(({ tenantId }) => tenantId));
    const earlier = this.#gaps.take(scope, tenantIds);
    try {
      await runInSavepoint(scope, async (inner) => {
        for (const open of earlier) await this.#insert(inner, [toGapHappening(open.gap)], open.circumstances);
        await this.#insert(inner, happenings, circumstances);
      });
    } catch (error) {
      for (const open of earlier) this.#gaps.add(open);
      for (const gap of toGaps(happenings, error)) await this.#leaveGap(scope, gap, circumstances);
    }
  }

  /** On record at once if that is possible; and nobody is told of a gap in what is never committed. */
  async #leaveGap(scope: TransactionScope, gap: AuditGap, circumstances: Circumstances): Promise<void> {
    const isOnRecord = await runInSavepoint(scope, (inner) =>
      this.#insert(inner, [toGapHappening(gap)], circumstances),
    ).then(
      () => true,
      () => false,
    );
    scope.onCommit(() => {
      if (!isOnRecord) this.#gaps.add({ gap, circumstances });
      publishGap(gap);
      this.#options.onGap?.(gap);
    });
  }
}

/** Counted once they are committed; those of other tenants are recorded all the same. */
function withoutPaused(changes: readonly Change[], scope: TransactionScope): readonly Change[] {
  const pause = findPause();
  if (!pause) return changes;
  const [paused = [], rest = []] = [true, false].map((isPaused) =>
    changes.filter(({ key }) => (key.tenantId === pause.tenantId) === isPaused),
  );
  scope.onCommit(() => pause.count(paused));
  return rest;
}

/** Nearly always one tenant: of several, only work across tenants writes rows in one transaction. */
function byTenant(changes: readonly Change[]): Iterable<[tenantId: string, own: readonly Change[]]> {
  const first = changes[0]?.key.tenantId as string;
  if (changes.every(({ key }) => key.tenantId === first)) return [[first, changes]];
  return Map.groupBy(changes, ({ key }) => key.tenantId as string);
}

function happeningOf(change: Change, personal: PersonalCover): Happening | undefined {
  const { kind, key, meta } = change;
  const changes = changesTextOf(change, AuditPolicy.of(meta), personal.coverOf(change));
  if (changes === undefined) return undefined;
  const tenantId = key.tenantId as string;
  return { tenantId, action: kind, entityName: meta.className, entityId: toEntityId(change), changes };
}

function toGaps(happenings: readonly Happening[], error: unknown): AuditGap[] {
  const at = new Date();
  return [...Map.groupBy(happenings, ({ tenantId }) => tenantId)].map(([tenantId, own]) => {
    const byClass = Map.groupBy(own, ({ entityName }) => entityName ?? '');
    return { tenantId, at, error, changes: Object.fromEntries([...byClass].map(([name, all]) => [name, all.length])) };
  });
}
