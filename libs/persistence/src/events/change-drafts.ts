import type { EntityMetadata } from '@mikro-orm/core';
import type { Change, ChangedValues } from './change.js';
import { hashOf, type Key } from './state-reader.js';

/** A change that is still being put together. */
export type ChangeDraft = { -readonly [Name in keyof Change]: Change[Name] };

/** The changes of one flush, one per row. */
export class ChangeDrafts {
  readonly #drafts: ChangeDraft[] = [];
  /** Made when somebody looks for a draft; most flushes link nothing. */
  #index: Map<string, ChangeDraft> | undefined;

  add(draft: ChangeDraft): ChangeDraft {
    this.#drafts.push(draft);
    this.#index?.set(hashFor(draft), draft);
    return draft;
  }

  find(meta: EntityMetadata, key: Key): ChangeDraft | undefined {
    this.#index ??= new Map(this.#drafts.map((draft) => [hashFor(draft), draft]));
    return this.#index.get(hashFor({ meta, key: toKeyRecord(meta, key) }));
  }

  toChanges(): Change[] {
    return this.#drafts;
  }
}

/** Rows of a hierarchy share their keys, whatever class a reference gave them. */
function hashFor({ meta, key }: Pick<Change, 'meta' | 'key'>): string {
  return hashOf([meta.root.className, ...Object.values(key)]);
}

/** A key by property, as a change shows it. */
export function toKeyRecord(meta: EntityMetadata, key: Key): ChangedValues {
  const record: Record<string, unknown> = {};
  const names: readonly string[] = meta.primaryKeys;
  for (let index = 0; index < names.length; index++) record[names[index] as string] = key[index];
  return record;
}
