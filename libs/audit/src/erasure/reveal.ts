import type { SqlEntityManager } from '@mikro-orm/sql';
import type { AuditEntry } from '../entities/audit-entry.entity.js';
import { AuditSubjectKey } from '../entities/audit-subject-key.entity.js';
import { decipher, keyIdOf, type PersonalKey, secretFromText } from './personal-cipher.js';

/** Begins what `changes` says of a personal property. */
const MARK = '{"personal":"';
/** Keys in one query. */
const KEYS_AT_ONCE = 500;

type Changes = Record<string, Record<string, unknown>>;

/** The part of an entry in which something may be personal. */
type Covered = Pick<AuditEntry, 'changes' | 'personal'>;

/** Ids of the keys that entries ask for. */
export function keyIdsOf(entries: readonly Covered[]): Set<string> {
  const ids = new Set<string>();
  for (const { changes, personal } of entries) {
    const id = keyIdOf(personal);
    if (id) ids.add(id);
    if (!changes.includes(MARK)) continue;
    for (const change of Object.values(JSON.parse(changes) as Changes)) {
      const own = keyIdOf(change.personal);
      if (own) ids.add(own);
    }
  }
  return ids;
}

/** The keys that are still there, by id; each time from the table, so that an erasure acts at once. */
export async function findKeys(ids: ReadonlySet<string>, em: SqlEntityManager): Promise<Map<string, PersonalKey>> {
  const keys = new Map<string, PersonalKey>();
  const all = [...ids];
  for (let start = 0; start < all.length; start += KEYS_AT_ONCE) {
    const where = { id: { $in: all.slice(start, start + KEYS_AT_ONCE) } };
    for (const { id, secret } of await em.find(AuditSubjectKey, where, { disableIdentityMap: true })) {
      keys.set(id, { id, secret: secretFromText(secret) });
    }
  }
  return keys;
}

/** What an envelope holds; `undefined` when it was erased. */
function open(envelope: unknown, keys: ReadonlyMap<string, PersonalKey>): Record<string, unknown> | undefined {
  const key = keys.get(keyIdOf(envelope) ?? '');
  const text = key && decipher(envelope as string, key);
  return text === undefined ? undefined : (JSON.parse(text) as Record<string, unknown>);
}

/** `changes` with personal values in clear, or with `{ erased: true }` in their place. */
export function revealChanges(changes: string, keys: ReadonlyMap<string, PersonalKey>): string {
  if (!changes.includes(MARK)) return changes;
  const read = Object.entries(JSON.parse(changes) as Changes).map(([name, change]) => [
    name,
    keyIdOf(change.personal) === undefined ? change : (open(change.personal, keys) ?? { erased: true }),
  ]);
  return JSON.stringify(Object.fromEntries(read));
}

/** The actor's e-mail, address and program, as far as they are known. */
export function revealActor(
  { personal }: Pick<Covered, 'personal'>,
  keys: ReadonlyMap<string, PersonalKey>,
): Pick<AuditEntry, 'actorEmail' | 'ip' | 'userAgent'> | undefined {
  return open(personal, keys) as Pick<AuditEntry, 'actorEmail' | 'ip' | 'userAgent'> | undefined;
}

/**
 * Makes what is personal readable in entries that nobody manages, as far as it was not erased.
 * @returns the same entries
 */
export async function reveal(entries: AuditEntry[], em: SqlEntityManager): Promise<AuditEntry[]> {
  const ids = keyIdsOf(entries);
  if (ids.size === 0) return entries;
  const keys = await findKeys(ids, em);
  for (const entry of entries) {
    Object.assign(entry, { changes: revealChanges(entry.changes, keys), ...revealActor(entry, keys) });
  }
  return entries;
}
