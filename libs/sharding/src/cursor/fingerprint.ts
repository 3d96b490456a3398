import { createHash } from 'node:crypto';
import { isRaw, Reference, Utils, wrap } from '@mikro-orm/core';
import { FanOutUnsupportedError } from '../errors/fan-out-unsupported.error.js';

/**
 * Tells one query from another: the same text for the same values, whatever the order of their names.
 * @throws {FanOutUnsupportedError} for what cannot be told again, such as SQL fragments and functions
 */
export function fingerprint(query: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(plain(query)))
    .digest('base64url')
    .slice(0, 22);
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return { bigint: String(value) };
  if (value === undefined || value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value;
  if (value instanceof Date) return { date: value.getTime() };
  if (value instanceof RegExp) return { expression: String(value) };
  if (Array.isArray(value)) return value.map(plain);
  const entity = Reference.unwrapReference(value as never) as unknown;
  if (Utils.isEntity(entity, true)) {
    return { entity: (entity as object).constructor.name, key: plain(wrap(entity as object, true).getPrimaryKey()) };
  }
  const isTellable = typeof value === 'object' && !isRaw(value) && Object.getOwnPropertySymbols(value).length === 0;
  if (!isTellable || !Utils.isPlainObject(value)) {
    throw new FanOutUnsupportedError('A condition with an expression cannot be continued by a cursor.');
  }
  return Object.keys(value)
    .sort()
    .map((name) => [name, plain((value as Record<string, unknown>)[name])]);
}
