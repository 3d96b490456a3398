/** What spreadsheets take for the beginning of a formula, also behind blanks. */
const FORMULA = /^\s*[=+\-@]|^[\t\r\n]/;
const NEEDS_QUOTES = /[",\r\n]/;

/**
 * A cell of RFC 4180. What would be a formula gets an apostrophe, which spreadsheets take for "this is text": an entry tells
 * what people have typed, and somebody opens it with a double click.
 */
function toCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'number' ? String(value) : guard(String(value));
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function guard(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

/** One line, with its end. */
export function toCsvLine(cells: readonly unknown[]): string {
  return `${cells.map(toCell).join(',')}\r\n`;
}
