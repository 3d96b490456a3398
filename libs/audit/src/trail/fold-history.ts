import type { AuditEntry } from '../entities/audit-entry.entity.js';
import type { RecordedChange } from '../recorded-changes.js';
import type { EntityState, StateDifference } from './entity-version.js';

/** Names that properties had when old entries were written, and the names they have now. */
export type RenamedProperties = Readonly<Record<string, string>>;

interface Fold {
  values: Map<string, unknown>;
  collections: Map<string, Map<string, unknown>>;
  withheld: Set<string>;
}

/** Keys are texts, or lists of them. */
const hashOf = (key: unknown) => JSON.stringify(key);

function changesOf(entry: AuditEntry, renamed: RenamedProperties): [string, RecordedChange][] {
  return Object.entries(entry.getChanges()).map(([name, change]) => [renamed[name] ?? name, change]);
}

function apply(fold: Fold, [name, change]: [string, RecordedChange], side: 'old' | 'new'): void {
  if ('secret' in change || 'erased' in change) fold.withheld.add(name);
  else if ('added' in change) {
    const items = fold.collections.get(name) ?? new Map<string, unknown>();
    for (const key of change.removed) items.delete(hashOf(key));
    for (const key of change.added) items.set(hashOf(key), key);
    fold.collections.set(name, items);
  } else fold.values.set(name, change[side]);
}

/**
 * The state after the entry at `index`: the newest value that each property was given up to there. A history whose
 * beginning nobody recorded is completed from what later entries say was there before them.
 *
 * @param entries of one entity, oldest first
 */
export function foldHistory(
  entries: readonly AuditEntry[],
  index: number,
  renamed: RenamedProperties = {},
): EntityState {
  const last = entries[index] as AuditEntry;
  const exists = last.action !== 'delete';
  // A row that was deleted and made again begins anew.
  const begin = entries.findLastIndex((entry, at) => at <= index && entry.action === 'create');
  const fold: Fold = { values: new Map(), collections: new Map(), withheld: new Set() };
  for (const entry of entries.slice(Math.max(0, begin), index + 1)) {
    for (const change of changesOf(entry, renamed)) {
      // Links that went with the row belong to its last state, like its values.
      if (entry.action !== 'delete' || !('added' in change[1])) {
        apply(fold, change, entry.action === 'delete' ? 'old' : 'new');
      }
    }
  }
  const isComplete = begin >= 0 || (exists && completeFromLater(fold, entries.slice(index + 1), renamed)) || !exists;
  return {
    version: index + 1,
    at: last.occurredAt,
    entityName: last.entityName ?? '',
    exists,
    values: Object.fromEntries(fold.values),
    collections: Object.fromEntries([...fold.collections].map(([name, items]) => [name, [...items.values()]])),
    withheld: [...fold.withheld],
    isComplete,
    wasChangedInBulk: false,
  };
}

/** @returns whether the row's last state is among them, so that nothing is missing */
function completeFromLater(fold: Fold, later: readonly AuditEntry[], renamed: RenamedProperties): boolean {
  for (const entry of later) {
    for (const [name, change] of changesOf(entry, renamed)) {
      if ('old' in change && !fold.values.has(name)) fold.values.set(name, change.old);
    }
    if (entry.action === 'delete') return true;
  }
  return false;
}

/** What lies between two states, collections included. A state in which the row does not exist has no values. */
export function differenceOf(from: EntityState, to: EntityState): StateDifference {
  const [before, after] = [from, to].map(({ exists, values, collections }) =>
    exists ? { ...values, ...collections } : {},
  ) as [Record<string, unknown>, Record<string, unknown>];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const difference: Record<string, { old: unknown; new: unknown }> = {};
  for (const name of names) {
    const [old, now] = [before[name] ?? null, after[name] ?? null];
    if (JSON.stringify(old) !== JSON.stringify(now)) difference[name] = { old, new: now };
  }
  return difference;
}
