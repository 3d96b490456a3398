import { describe, expect, it } from '@jest/globals';
import { InsertText } from './insert-text.js';

describe('InsertText', () => {
  it('repeats the tuple of a statement with question marks', () => {
    const text = new InsertText('insert into `a` (`x`, `y`) values (?, ?)');
    expect(text.forRows(3)).toBe('insert into `a` (`x`, `y`) values (?, ?), (?, ?), (?, ?)');
    expect(text.forRows(1)).toBe('insert into `a` (`x`, `y`) values (?, ?)');
  });

  it('counts numbered placeholders on', () => {
    const text = new InsertText('insert into "s"."a" ("x1", "y") values ($1, $2)');
    expect(text.forRows(3)).toBe('insert into "s"."a" ("x1", "y") values ($1, $2), ($3, $4), ($5, $6)');
  });

  it('gives the same text again, also after many others', () => {
    const text = new InsertText('insert into a (x) values ($1)');
    const all = Array.from({ length: 100 }, (_, index) => text.forRows(index + 1));
    expect(all.map((_, index) => text.forRows(index + 1))).toEqual(all);
  });
});
