/** A line of a stream, or the fact that it was too long to be kept. */
export interface StreamLine {
  /** Counted from 1; empty lines count. */
  readonly number: number;
  /** `undefined` for a line of more than the allowed bytes: its bytes were read and dropped. */
  readonly text: string | undefined;
}

const NEWLINE = 0x0a;

/**
 * Splits a byte stream into lines, holding no more than one of them: memory does not grow with the stream, nor with a
 * line that never ends. `\r\n` ends a line as `\n` does; invalid UTF-8 becomes U+FFFD.
 *
 * Node's `readline` keeps a line of any length and does not wait for its consumer, which is why this is our own.
 */
export async function* readLines(source: AsyncIterable<Buffer>, maxLineBytes: number): AsyncGenerator<StreamLine> {
  let parts: Buffer[] = [];
  let bytes = 0;
  let number = 0;
  const finishLine = (): StreamLine => {
    const text = bytes > maxLineBytes ? undefined : Buffer.concat(parts).toString('utf8').replace(/\r$/, '');
    parts = [];
    bytes = 0;
    number++;
    return { number, text };
  };
  const append = (part: Buffer) => {
    bytes += part.length;
    if (bytes <= maxLineBytes) parts.push(part);
    else parts = [];
  };
  for await (const chunk of source) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      append(chunk.subarray(start, end));
      yield finishLine();
      start = end + 1;
    }
    append(chunk.subarray(start));
  }
  if (bytes > 0) yield finishLine();
}
