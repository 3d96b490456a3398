import { InvalidCursorError } from '../errors/invalid-cursor.error.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Where a page ended. Opaque to its readers; it names an entry and lets nobody see one. */
export function toCursor(entryId: string): string {
  return Buffer.from(entryId.replaceAll('-', ''), 'hex').toString('base64url');
}

/**
 * The id of the last entry of the page before.
 * @throws {InvalidCursorError}
 */
export function fromCursor(cursor: string): string {
  const digits = Buffer.from(cursor, 'base64url').toString('hex');
  const id = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  if (!UUID.test(id) || toCursor(id) !== cursor) throw new InvalidCursorError();
  return id;
}
