/**
 * Lines of an export that is read in pieces, such as a file's stream with an encoding; one line at a time is held.
 *
 * Not Node's `readline`: for that U+2028 ends a line too, which stands as it is in JSON, and so in names that people type.
 */
export async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let begun = '';
  for await (const piece of pieces) {
    const [first = '', ...others] = piece.split('\n');
    begun += first;
    for (const next of others) {
      yield begun;
      begun = next;
    }
  }
  if (begun !== '') yield begun;
}
