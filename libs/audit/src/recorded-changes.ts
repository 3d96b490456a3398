/**
 * What an entry tells about one property: its values before and after; of a many-to-many collection the keys that came
 * and went; of a secret property that it changed, and nothing else; and the same of a personal one that was erased.
 */
export type RecordedChange =
  | { readonly old: unknown; readonly new: unknown }
  | { readonly added: readonly unknown[]; readonly removed: readonly unknown[] }
  | { readonly secret: true }
  | { readonly erased: true };

/** What an entry tells, by property; embedded values by path (`price.amount`). */
export type RecordedChanges = Readonly<Record<string, RecordedChange>>;
