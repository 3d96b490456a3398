import { describe, expect, it } from '@jest/globals';
import { readLines, type StreamLine } from './read-lines.js';

async function* chunks(...parts: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part);
}

async function read(source: AsyncIterable<Buffer>, maxLineBytes = 100): Promise<StreamLine[]> {
  const lines: StreamLine[] = [];
  for await (const line of readLines(source, maxLineBytes)) lines.push(line);
  return lines;
}

describe('readLines', () => {
  it('finds the same lines wherever the chunks are cut', async () => {
    const bytes = Buffer.from('{"a":"手机"}\r\n\nlast');
    const expected = [
      { number: 1, text: '{"a":"手机"}' },
      { number: 2, text: '' },
      { number: 3, text: 'last' },
    ];
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(await read(chunks(bytes.subarray(0, cut), bytes.subarray(cut)))).toEqual(expected);
    }
    expect(await read(chunks(...Array.from(bytes, (byte) => Buffer.of(byte))))).toEqual(expected);
  });

  it('ends at a final newline, and reads nothing from nothing', async () => {
    expect(await read(chunks('a\n'))).toEqual([{ number: 1, text: 'a' }]);
    expect(await read(chunks())).toEqual([]);
    expect(await read(chunks(''))).toEqual([]);
  });

  it('drops a line that is too long, and goes on with the next', async () => {
    const long = 'x'.repeat(60);
    expect(await read(chunks('a\n', long, long, '\nb\n', `${'y'.repeat(100)}\n`, 'z'.repeat(101)))).toEqual([
      { number: 1, text: 'a' },
      { number: 2, text: undefined },
      { number: 3, text: 'b' },
      { number: 4, text: 'y'.repeat(100) },
      { number: 5, text: undefined },
    ]);
  });

  it('passes on the end of a source that is cut off', async () => {
    const cutOff = async function* () {
      yield Buffer.from('a\nb');
      throw new Error('cut off');
    };
    await expect(read(cutOff())).rejects.toThrow('cut off');
  });
});
