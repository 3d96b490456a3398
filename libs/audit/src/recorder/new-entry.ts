import type { Context } from '#libs/context';
import type { Change } from '#libs/persistence';
import type { AuditEntry } from '../entities/audit-entry.entity.js';
import { nextEntryId } from '../entry-id.js';
import type { RecordedChanges } from '../recorded-changes.js';

/** Columns of an entry that is about to be written, by property. */
export type NewEntry = Omit<AuditEntry, 'getChanges' | 'refuseChange' | symbol>;

/** What an entry says about the work that made it; the same for all entries of a transaction. */
export type Circumstances = Pick<
  NewEntry,
  | 'actorId'
  | 'actorType'
  | 'actorEmail'
  | 'onBehalfOf'
  | 'requestId'
  | 'route'
  | 'method'
  | 'ip'
  | 'userAgent'
  | 'reason'
>;

/** What an entry says happened. */
export interface Happening {
  readonly tenantId: string;
  readonly action: string;
  readonly entityName: string | null;
  readonly entityId: string | null;
  readonly changes: RecordedChanges;
}

/** What clients send must not be able to fail a write by its length, or by a character the database has no room for. */
export function clip(text: string | undefined, length: number): string | null {
  if (text === undefined) return null;
  return (text.includes('\u0000') ? text.replaceAll('\u0000', '') : text).slice(0, length);
}

/** @param context  of the work, if there is one: a bare script has none */
export function circumstancesOf(context: Context | undefined, reason = context?.reason): Circumstances {
  const actor = context?.actor;
  return {
    actorId: clip(actor?.id, 100),
    actorType: actor?.type ?? (context ? 'anonymous' : 'unknown'),
    actorEmail: clip(actor?.email, 320),
    onBehalfOf: clip(actor?.onBehalfOf, 100),
    requestId: clip(context?.requestId, 100),
    route: clip(context?.route, 200),
    method: clip(context?.method, 10),
    ip: clip(context?.ip, 45),
    userAgent: clip(context?.userAgent, 300),
    reason: clip(reason, 500),
  };
}

export function toNewEntry({ changes, ...happening }: Happening, circumstances: Circumstances): NewEntry {
  return { ...nextEntryId(), ...happening, changes: JSON.stringify(changes), ...circumstances };
}

/** The key of a changed row within its tenant, as text. */
export function toEntityId({ key, meta }: Change): string {
  const own = meta.primaryKeys.filter((name: string) => name !== 'tenantId').map((name: string) => String(key[name]));
  return own.length === 1 ? (own[0] as string) : JSON.stringify(own);
}
