import type { EntityMetadata } from '@mikro-orm/core';
import type { Context } from '#libs/context';
import type { Change } from '#libs/persistence';
import type { AuditEntry } from '../entities/audit-entry.entity.js';

/** What one entry says happened. */
export type Happening = Pick<AuditEntry, 'tenantId' | 'action' | 'entityName' | 'entityId' | 'changes'>;

/** What all entries of a transaction say about the work that made them. */
export type Circumstances = Pick<
  AuditEntry,
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
  | 'personal'
>;

/** What clients send must not be able to fail a write by its length, or by a character the database has no room for. */
export function clip(text: string | undefined, length: number): string | null {
  if (text === undefined) return null;
  // Cut between the halves of a surrogate pair it would be read back as something else.
  return (text.includes('\u0000') ? text.replaceAll('\u0000', '') : text).slice(0, length).toWellFormed();
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
    personal: null,
  };
}

/** The key of a changed row within its tenant, as text. */
export function toEntityId({ key, meta }: Change): string {
  const own = ownKeysOf(meta);
  const [only] = own;
  return own.length === 1 && only ? String(key[only]) : JSON.stringify(own.map((name) => String(key[name])));
}

const ownKeys = new WeakMap<EntityMetadata, readonly string[]>();

/** Without the tenant; worked out once. */
function ownKeysOf(meta: EntityMetadata): readonly string[] {
  const known = ownKeys.get(meta) ?? meta.primaryKeys.filter((name: string) => name !== 'tenantId');
  ownKeys.set(meta, known);
  return known;
}
