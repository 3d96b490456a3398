import type { Change } from '#libs/persistence';
import type { AuditPolicy, Disclosure } from '../policy/audit-policy.js';

/** Rows that are written together have mostly the same few times, and a time takes longer than the rest of a row. */
const lastTime = { at: Number.NaN, json: '' };

function timeToJson(time: Date): string {
  const at = time.getTime();
  if (at !== lastTime.at) {
    lastTime.at = at;
    lastTime.json = JSON.stringify(time);
  }
  return lastTime.json;
}

/** JSON of one value. Changes hold mostly short texts, numbers and nulls, which need no general machinery. */
function toJson(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'number') return Number.isFinite(value) ? `${value}` : 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'bigint') return `"${value}"`;
  if (value instanceof Date) return timeToJson(value);
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`;
  return JSON.stringify(value) ?? 'null';
}

/** What makes an envelope of what is personal. */
export type Cover = (json: string) => string;

/** Without a cover what is personal is as good as secret: it must not be written down where nobody can erase it. */
function told(disclosure: Disclosure, json: string, cover: Cover | undefined): string {
  if (disclosure === 'value') return json;
  return disclosure === 'personal' && cover ? `{"personal":"${cover(json)}"}` : '{"secret":true}';
}

/**
 * The text of `AuditEntry.changes`, as `RecordedChanges`: which properties changed and how, as far as it may be told.
 * `undefined` when an update then tells nothing. Written directly rather than as an object first: an import makes one for
 * every row.
 */
export function changesTextOf(change: Change, policy: AuditPolicy, cover?: Cover): string | undefined {
  const { kind, old: before, new: after, collections } = change;
  let text = '';
  for (const path in after ?? before) {
    const { disclosure, json } = policy.tellingOf(path);
    if (disclosure === 'nothing') continue;
    text += (text === '' ? '{' : ',') + json;
    text += `:${told(disclosure, `{"old":${toJson(before?.[path])},"new":${toJson(after?.[path])}}`, cover)}`;
  }
  for (const name in collections) {
    const { disclosure, json } = policy.tellingOf(name);
    if (disclosure === 'nothing') continue;
    text += (text === '' ? '{' : ',') + json;
    text += `:${told(disclosure, JSON.stringify(collections[name]), cover)}`;
  }
  if (text === '') return kind === 'update' ? undefined : '{}';
  return `${text}}`;
}
