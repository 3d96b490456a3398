import type { Change } from '#libs/persistence';
import type { AuditPolicy } from '../policy/audit-policy.js';
import type { RecordedChange, RecordedChanges } from '../recorded-changes.js';

function toJsonValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return typeof value === 'bigint' ? value.toString() : (value ?? null);
}

/** Which properties changed and how, as far as it may be told; `undefined` when an update then tells nothing. */
export function recordedChangesOf(change: Change, policy: AuditPolicy): RecordedChanges | undefined {
  const changes: Record<string, RecordedChange> = {};
  const { kind, old: before, new: after, collections } = change;
  const record = (path: string, toValue: () => RecordedChange) => {
    const disclosure = policy.disclosureOf(path);
    if (disclosure !== 'nothing') changes[path] = disclosure === 'secret' ? { secret: true } : toValue();
  };
  for (const path in after ?? before) {
    record(path, () => ({ old: toJsonValue(before?.[path]), new: toJsonValue(after?.[path]) }));
  }
  for (const [name, links] of Object.entries(collections ?? {})) record(name, () => links);
  return kind === 'update' && Object.keys(changes).length === 0 ? undefined : changes;
}
