import { newId } from '#libs/persistence';

/** An id, and the time it carries. */
export interface EntryId {
  readonly id: string;
  readonly occurredAt: Date;
}

/**
 * The next id. Ids of one process never go back, not even within a millisecond or when its clock does, so their order is
 * the order in which entries were written; and since they carry the time, the primary key is the index by time as well.
 */
export function nextEntryId(): EntryId {
  const id = newId();
  const digits = id.slice(0, 13);
  if (digits !== last.digits) last = { digits, time: new Date(Number.parseInt(digits.replace('-', ''), 16)) };
  return { id, occurredAt: last.time };
}

/** Entries are written together, many in a millisecond. */
let last = { digits: '', time: new Date(0) };

/** The lowest id that an entry of this millisecond can have. */
export function firstEntryIdAt(time: Date): string {
  const digits = Math.max(0, time.getTime()).toString(16).padStart(12, '0');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-7000-8000-000000000000`;
}
