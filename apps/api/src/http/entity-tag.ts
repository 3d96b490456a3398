import { VersionConflictError } from './errors/version-conflict.error.js';

/** The strong entity tag of a version. */
export function toEntityTag(version: number): string {
  return `"v${version}"`;
}

function listTags(header: string): string[] {
  return header.split(',').map((tag) => tag.trim());
}

/**
 * Checks `If-Match` against the present version. Without the header nothing is asked.
 * @throws {VersionConflictError} when it names other versions only; a weak tag never matches (RFC 9110 §13.1.1)
 */
export function assertIfMatch(header: string | undefined, version: number): void {
  if (header === undefined || header.trim() === '*') return;
  if (!listTags(header).includes(toEntityTag(version))) throw new VersionConflictError();
}

/** Whether `If-None-Match` says that the client has this version already. */
export function isNotModified(header: string | undefined, version: number): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || listTags(header.replaceAll('W/', '')).includes(toEntityTag(version));
}
