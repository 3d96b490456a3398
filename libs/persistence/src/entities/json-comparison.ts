import { isRaw, JsonType, type MetadataStorage, Utils } from '@mikro-orm/core';

function parse(stored: unknown): unknown {
  return typeof stored === 'string' ? JSON.parse(stored) : stored;
}

function areSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (isRaw(one) || isRaw(other)) return false;
  return Utils.equals(parse(one), parse(other));
}

/**
 * Makes the order of keys in JSON columns not matter: to assign what is stored already, in another order, is no change.
 * MikroORM compares the text, which on sqlite and MariaDB is kept as it was written. Given as `discovery.afterDiscovered`.
 */
export function compareJsonByContent(storage: MetadataStorage): void {
  for (const meta of storage.getAll().values()) {
    for (const { customType } of meta.props) if (customType instanceof JsonType) customType.compareValues = areSame;
  }
}
