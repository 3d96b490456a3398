import type { TransactionScope } from '#libs/persistence';
import type { AuditGap } from './audit-gap.js';
import type { Circumstances, Happening } from './new-entry.js';

/** A gap that is not on record yet, and the work that left it. */
export interface OpenGap {
  readonly gap: AuditGap;
  readonly circumstances: Circumstances;
}

interface TakenGap {
  readonly open: OpenGap;
  /** The transaction or savepoint that puts it on record. */
  readonly by: TransactionScope;
}

/**
 * Gaps that could not be put on record when they arose. They wait in this process for the tenant's next recorded
 * transaction; if the process ends before, the alarm is all there is.
 *
 * They are the tenant's and not a database's: tenants may share an instance of MikroORM, and one that has an instance of
 * its own is given a new one whenever the old one was closed to make room.
 */
export class GapLedger {
  readonly #open = new Map<string, OpenGap[]>();
  readonly #taken = new WeakMap<TransactionScope, TakenGap[]>();

  add(open: OpenGap): void {
    const { tenantId } = open.gap;
    this.#open.set(tenantId, [...(this.#open.get(tenantId) ?? []), open]);
  }

  /** Hands gaps over to a transaction or savepoint; they are back when it rolls back. */
  take(by: TransactionScope, tenantIds: Iterable<string>): readonly OpenGap[] {
    if (this.#open.size === 0) return [];
    const taken = [...tenantIds].flatMap((tenantId) => {
      const own = this.#open.get(tenantId) ?? [];
      this.#open.delete(tenantId);
      return own;
    });
    const earlier = this.#taken.get(by.outermost) ?? [];
    this.#taken.set(by.outermost, [...earlier, ...taken.map((open) => ({ open, by }))]);
    return taken;
  }

  /** What a scope, or one inside it, was to put on record. */
  giveBack(scope: TransactionScope): void {
    const taken = this.#taken.get(scope.outermost) ?? [];
    const [back = [], kept = []] = [true, false].map((isBack) =>
      taken.filter(({ by }) => isWithin(by, scope) === isBack),
    );
    this.#taken.set(scope.outermost, kept);
    for (const { open } of back) this.add(open);
  }
}

function isWithin(inner: TransactionScope, outer: TransactionScope): boolean {
  return inner === outer || (inner.parent !== undefined && isWithin(inner.parent, outer));
}

/** What the entry of a gap says. */
export function toGapHappening({ tenantId, at, changes, error }: AuditGap): Happening {
  const told = (value: unknown) => ({ old: null, new: value });
  const text = { at: told(at.toISOString()), changes: told(changes), error: told(nameOf(error)) };
  return { tenantId, action: 'audit_gap', entityName: null, entityId: null, changes: JSON.stringify(text) };
}

/** Never the message: a database's may hold the values it refused. */
function nameOf(error: unknown): string {
  const { name, code } = error as { readonly name?: string; readonly code?: string };
  return [name ?? 'Error', code].filter(Boolean).join(' ').slice(0, 200);
}
