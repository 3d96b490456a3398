import { describe, expect, it } from '@jest/globals';
import { linesOf } from './lines-of.js';

async function read(...pieces: string[]): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of linesOf(
    (async function* () {
      yield* pieces;
    })(),
  ))
    lines.push(line);
  return lines;
}

describe('lines of an export', () => {
  it('come whole, wherever the pieces are cut', async () => {
    expect(await read('{"a":1}\n{"b', '":2}', '\n', '{"c":3}\n')).toEqual(['{"a":1}', '{"b":2}', '{"c":3}']);
    expect(await read('a\nb')).toEqual(['a', 'b']);
    expect(await read()).toEqual([]);
  });

  it('end at line feeds and nothing else', async () => {
    expect(await read('"\u2028 \u2029 \u0085"\n"x"\n')).toEqual(['"\u2028 \u2029 \u0085"', '"x"']);
  });
});
