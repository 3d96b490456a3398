import type { AuditEntry } from '../entities/audit-entry.entity.js';
import { leafHash } from './merkle-tree.js';

/**
 * What of an entry is hashed, in this order, for good. A new column goes to the end: what is null there is left out, so
 * entries from before it keep their hash.
 */
export const ENTRY_FIELDS = [
  'tenantId',
  'id',
  'occurredAt',
  'action',
  'entityName',
  'entityId',
  'changes',
  'actorId',
  'actorType',
  'actorEmail',
  'onBehalfOf',
  'requestId',
  'route',
  'method',
  'ip',
  'userAgent',
  'reason',
  'personal',
] as const satisfies readonly (keyof AuditEntry)[];

export type EntryField = (typeof ENTRY_FIELDS)[number];

/** An entry as it is stored: texts as they are, the time in milliseconds. */
export type StoredEntry = Readonly<Record<EntryField, string | number | null>>;

/** The text of an entry that is hashed: the values of `ENTRY_FIELDS` as a JSON array. */
export function entryText(values: readonly unknown[]): string {
  let end = values.length;
  while (end > 0 && (values[end - 1] ?? null) === null) end--;
  return JSON.stringify(end === values.length ? values : values.slice(0, end));
}

/** The fields that each entry of a transaction has its own value for; those behind them are the same for all. */
const OWN_FIELDS = ENTRY_FIELDS.slice(0, ENTRY_FIELDS.indexOf('actorId'));

type SharedFields = Readonly<Partial<Record<EntryField, unknown>>>;

/**
 * Makes the texts of entries that are about to be written by one transaction, as they will be read back; what they have in
 * common is written out once.
 */
export function entryTextsOf(shared: SharedFields): (own: readonly unknown[]) => string {
  const values = ENTRY_FIELDS.slice(OWN_FIELDS.length).map((field) => shared[field] ?? null);
  // Never empty: an entry always has a type of actor.
  const end = entryText(values).slice(1);
  return (own) => `${JSON.stringify(own).slice(0, -1)},${end}`;
}

/** `entryText` of a stored entry. */
export function storedEntryText(entry: StoredEntry): string {
  return entryText(ENTRY_FIELDS.map((field) => entry[field] ?? null));
}

/**
 * The hash of an entry at its place: of its text, its position and the leaf before it. So each leaf is a link of a chain,
 * and an entry is at home in one place of one trail.
 *
 * @param previous  leaf before it; empty at position 1
 */
export function leafOf(position: number, previous: string, text: string): string {
  return leafHash(`${position} ${previous} ${text}`);
}
