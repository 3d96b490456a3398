import type { AuditHold } from '#libs/audit';

/** A legal hold as the API shows it. */
export function toHoldView({ id, reason, entityName, entityId, actorId, createdAt }: AuditHold) {
  return { id, reason, entity: entityName, entityId, actorId, createdAt: createdAt.toISOString() };
}
