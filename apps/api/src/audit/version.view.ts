import type { EntityVersion } from '#libs/audit';
import { toAuditEntryView } from './audit-entry.view.js';

/** A version of something as the API shows it: its number, and who changed what. */
export function toVersionView({ version, entry }: EntityVersion) {
  const { id: entryId, at, action, changes, actor, requestId, reason } = toAuditEntryView(entry);
  return { version, at, action, changes, actor, requestId, reason, entryId };
}
