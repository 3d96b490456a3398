import type { AuditEntry } from '#libs/audit';

/** An entry of the audit trail as the API shows it. */
export function toAuditEntryView(entry: AuditEntry) {
  return {
    id: entry.id,
    at: entry.occurredAt.toISOString(),
    action: entry.action,
    entity: entry.entityName ?? null,
    entityId: entry.entityId ?? null,
    changes: entry.getChanges(),
    actor: {
      id: entry.actorId ?? null,
      type: entry.actorType,
      email: entry.actorEmail ?? null,
      ...(entry.onBehalfOf && { onBehalfOf: entry.onBehalfOf }),
    },
    requestId: entry.requestId ?? null,
    route: entry.route ?? null,
    method: entry.method ?? null,
    ip: entry.ip ?? null,
    userAgent: entry.userAgent ?? null,
    reason: entry.reason ?? null,
  };
}
