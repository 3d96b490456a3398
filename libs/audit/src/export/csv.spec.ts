import { describe, expect, it } from '@jest/globals';
import { toCsvLine } from './csv.js';

describe('a CSV line', () => {
  it.each([
    ['plain', 'plain'],
    ['with, comma', '"with, comma"'],
    ['with "quotes"', '"with ""quotes"""'],
    ['two\nlines', '"two\nlines"'],
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['  =1', "'  =1"],
    ['\t=1', "'\t=1"],
    ['=a,"b"', `"'=a,""b"""`],
    [-1, '-1'],
    [null, ''],
    [undefined, ''],
  ])('holds %j as %j', (value, cell) => {
    expect(toCsvLine([value, 'x'])).toBe(`${cell},x\r\n`);
  });
});
