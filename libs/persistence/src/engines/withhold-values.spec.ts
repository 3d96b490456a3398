import { describe, expect, it } from '@jest/globals';
import { withholdValues } from './withhold-values.js';

describe('withholdValues', () => {
  it('takes text in double quotes for a value where it is one, and for a name elsewhere', () => {
    expect(withholdValues('select `id` where mail = "a\\"b" and x = "c"', true)).toBe(
      'select `id` where mail = ? and x = ?',
    );
    expect(withholdValues('select "id2" from "t"', false)).toBe('select "id2" from "t"');
  });

  it.each([
    ["select id /* it's */ where a = 'secret'", [true, false]],
    ["select id /* secret */ where a = 'x'", [true, false]],
    ["select id -- it's\nwhere a = 'secret'", [true, false]],
    ["select id # it's\nwhere a = 'secret'", [true]],
    ["select id /* it's secret", [true, false]],
    ["select 5--3, 'it\nsecret'", [true]],
  ])('is not led astray by a comment: %j', (sql, modes) => {
    for (const mode of modes) expect(withholdValues(sql, mode)).not.toContain('secret');
  });

  it('keeps what is no comment, and no value', () => {
    const sql = 'select "a"::jsonb #> $1, b - $2 from shard_1.t2';
    expect(withholdValues(sql, false)).toBe(sql);
  });
});
