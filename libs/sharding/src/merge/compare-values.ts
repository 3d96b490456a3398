/** What a value is, for comparing: `text` by code points, `ascii` the same without asking for a collation. */
export type ValueKind = 'text' | 'ascii' | 'number' | 'bigint' | 'boolean' | 'date' | 'decimal';

/** Negative, zero or positive. Neither value is null. */
export function compareValues(kind: ValueKind, a: unknown, b: unknown): number {
  switch (kind) {
    case 'text':
    case 'ascii':
      return compareText(a as string, b as string);
    case 'bigint':
      return compareOrdered(BigInt(a as string), BigInt(b as string));
    case 'decimal':
      return compareDecimals(String(a), String(b));
    case 'date':
    case 'number':
    case 'boolean':
      return compareNumbers(Number(a), Number(b));
  }
}

/** Not by their difference, which is no number for two infinities. What is no number is the greatest, as in PostgreSQL. */
function compareNumbers(a: number, b: number): number {
  if (a !== b && !Number.isNaN(a) && !Number.isNaN(b)) return a - b;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

function compareOrdered(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * By code points, as a binary collation over UTF-8 does. `<` compares UTF-16 units, and puts an emoji (a surrogate pair
 * from 0xD800 on) before characters from U+E000 to U+FFFF.
 */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

/** Moves surrogates above all other units: there they stand for code points from U+10000 on. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** Decimals arrive as text, with as many zeros at the end as an engine likes: '12.3', '12.30'. */
function compareDecimals(a: string, b: string): number {
  const [x, y] = alignDecimals(a, b);
  return compareOrdered(x, y);
}

/** Both as integers of one scale: exact, where a number would round. */
export function alignDecimals(a: string, b: string): [bigint, bigint, number] {
  const scale = Math.max(scaleOf(a), scaleOf(b));
  return [toScaled(a, scale), toScaled(b, scale), scale];
}

function scaleOf(decimal: string): number {
  return decimal.split('.')[1]?.length ?? 0;
}

function toScaled(decimal: string, scale: number): bigint {
  const [whole = '0', fraction = ''] = decimal.split('.');
  return BigInt(`${whole}${fraction.padEnd(scale, '0')}`);
}
