import type { EntityMetadata } from '@mikro-orm/core';
import type { Change, ChangedValues } from './change.js';
import { hashOf, type Key } from './state-reader.js';

/** A change that is still being put together. */
export type ChangeDraft = { -readonly [Name in keyof Change]: Change[Name] };

/** The changes of one flush, one per row. */
export class ChangeDrafts {
  readonly #drafts = new Map<string, ChangeDraft>();

  add(draft: ChangeDraft): ChangeDraft {
    this.#drafts.set(hashFor(draft.meta, Object.values(draft.key)), draft);
    return draft;
  }

  find(meta: EntityMetadata, key: Key): ChangeDraft | undefined {
    return this.#drafts.get(hashFor(meta, key));
  }

  toChanges(): Change[] {
    return [...this.#drafts.values()];
  }
}

/** Rows of a hierarchy share their keys, whatever class a reference gave them. */
function hashFor(meta: EntityMetadata, key: Key): string {
  return hashOf([meta.root.className, ...key]);
}

/** A key by property, as a change shows it. */
export function toKeyRecord(meta: EntityMetadata, key: Key): ChangedValues {
  return Object.fromEntries(meta.primaryKeys.map((name, index) => [name, key[index]]));
}
