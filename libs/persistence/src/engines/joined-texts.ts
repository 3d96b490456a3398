/** Control characters that hardly any text has; JSON has neither. */
const SEPARATOR = '\u001f';
const NOTHING = '\u001e';

/**
 * Texts of one column in one value, which PostgreSQL takes apart. An array's elements are quoted and escaped one by one:
 * for JSON, which is full of quotes, that takes most of the client's time (5 µs for 300 characters, joined 0.3 µs).
 */
export class JoinedTexts {
  private constructor(readonly text: string) {}

  /** @returns `undefined` for values that cannot be told apart once they are joined, or are no texts */
  static find(values: readonly unknown[]): JoinedTexts | undefined {
    // Taken apart, an empty text is no element instead of an empty one.
    if (values.length < 2 || !values.every(isPlain)) return undefined;
    return new JoinedTexts(values.map((value) => value ?? NOTHING).join(SEPARATOR));
  }

  /** @param placeholder  of `text` */
  toSql(placeholder: string): string {
    return `string_to_array(${placeholder}::text, E'\\x1f', E'\\x1e')`;
  }
}

function isPlain(value: unknown): boolean {
  return value === null || (typeof value === 'string' && !value.includes(SEPARATOR) && value !== NOTHING);
}
