import { type RawQueryFragment, raw } from '@mikro-orm/core';

/** Makes `%`, `_` and the escape character themselves mean nothing to `like`. */
function escapeLike(text: string): string {
  return text.replace(/[!%_]/g, '!$&');
}

/** A condition for `where`: use it as `{ [containsText('name', 'tea')]: [] }`. */
function like(column: string, pattern: string): RawQueryFragment & symbol {
  // `!` escapes alike on every engine, where a backslash is a matter of dialect and server settings.
  return raw((alias) => `lower(${alias}.${column}) like ? escape '!'`, [pattern.toLowerCase()]);
}

/**
 * That a text column contains `text`, in whatever case (beyond ASCII as far as the engine folds it).
 *
 * @param column  name of the column, from the code and never from input
 * @example em.find(Product, { [containsText('name', 'tea')]: [] })
 */
export function containsText(column: string, text: string): RawQueryFragment & symbol {
  return like(column, `%${escapeLike(text)}%`);
}

/** That a `StringListType` column holds `item`; see `containsText`. */
export function hasItem(column: string, item: string): RawQueryFragment & symbol {
  return like(column, `%${escapeLike(JSON.stringify(item))}%`);
}
