import type { EntityMetadata } from '@mikro-orm/core';
import type { BulkWrite } from './bulk-write.js';

/** What became of a row. */
export type ChangeKind = 'create' | 'update' | 'delete';

/**
 * Values by property, in the form in which they are stored: to-one relations as the key of their target (without the
 * tenant id both share), embedded values by path (`price.amount`), JSON parsed, points in time as `Date`, absent as `null`.
 * Custom types are shown as stored, so what one encrypts stays encrypted; see `ReadableInChanges`.
 */
export type ChangedValues = Readonly<Record<string, unknown>>;

/** A custom type whose stored form is not what readers of a change should see, such as a list kept as text. */
export interface ReadableInChanges {
  /** @param stored  never null */
  toChangedValue(stored: unknown): unknown;
}

export function isReadableInChanges(type: object): type is ReadableInChanges {
  return 'toChangedValue' in type;
}

/** What happened to a many-to-many collection: keys of its items, in the form of to-one relations. */
export interface CollectionChange {
  readonly added: readonly unknown[];
  readonly removed: readonly unknown[];
}

/**
 * One change to one row of the domain (class-table inheritance: to all of its tables), written but not yet committed.
 * Made by the unit of work, and by bulk writes through `announceChanges`. Whoever makes one hands over its records and
 * does not touch them again.
 */
export interface Change {
  readonly kind: ChangeKind;
  /** Mapping of the concrete class. Its hierarchy's root is `meta.root`. */
  readonly meta: EntityMetadata;
  /** Primary key by property: `{ tenantId, id }`. */
  readonly key: ChangedValues;
  /** Update: the previous value of every changed property, and of no other. Delete: the whole last state. Create: absent. */
  readonly old?: ChangedValues;
  /** Create: the whole first state, as stored. Update: the value of every changed property. Delete: absent. */
  readonly new?: ChangedValues;
  /** Changed many-to-many collections, by property of the side that owns the pivot table. */
  readonly collections?: Readonly<Record<string, CollectionChange>>;
  /** The batch of a bulk write that it is part of. */
  readonly bulk?: BulkWrite;
}
