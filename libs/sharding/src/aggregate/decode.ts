import { NumberOutOfRangeError } from '../errors/number-out-of-range.error.js';
import type { ResultPlan, Value } from './aggregate-plan.js';

/** What came as text as the value its property would have; `null` stays. */
export function decode({ kind, property }: Value, text: string | number | null): unknown {
  if (text === null) return null;
  switch (kind) {
    case 'number':
      return Number(text);
    case 'bigint':
      return property.runtimeType === 'bigint'
        ? BigInt(text)
        : property.runtimeType === 'number'
          ? Number(text)
          : String(text);
    case 'boolean':
      return text === 'true' || text === 't' || text === '1' || text === 1;
    case 'date':
      return decodeDate(String(text));
    case 'decimal':
      return formatScaled(toScaled(String(text), scaleOf(property)), scaleOf(property));
    default:
      return String(text);
  }
}

/** sqlite stores milliseconds; the servers write out a time, without a zone where the column has none: it is UTC. */
export function decodeDate(text: string): Date {
  if (/^-?\d+(\.0)?$/.test(text)) return new Date(Number(text));
  const iso = text.replace(' ', 'T');
  return new Date(/(Z|[+-]\d\d(:?\d\d)?)$/.test(iso) ? iso.replace(/([+-]\d\d)$/, '$1:00') : `${iso}Z`);
}

/** An exact sum: integers and decimals as a scaled bigint, floating-point numbers as they are. */
export type Sum = bigint | number | null;

/** A shard's sum, ready to be added to others. */
export function decodeSum(value: Value | undefined, text: string | number | null): Sum {
  if (text === null) return null;
  if (!value) return BigInt(text);
  return value.isFloat ? Number(text) : toScaled(String(text), scaleOf(value.property));
}

/** A finished sum as the type of its property. */
export function encodeSum(result: ResultPlan, sum: Sum): unknown {
  const { value, name } = result;
  if (sum === null || typeof sum === 'number') return sum;
  const kind = value?.kind ?? 'number';
  if (kind === 'decimal') return formatScaled(sum, scaleOf(value?.property));
  if (kind === 'bigint' && value?.property.runtimeType !== 'number') {
    return value?.property.runtimeType === 'bigint' ? sum : String(sum);
  }
  if (sum > BigInt(Number.MAX_SAFE_INTEGER) || sum < -BigInt(Number.MAX_SAFE_INTEGER))
    throw new NumberOutOfRangeError(name);
  return Number(sum);
}

/** A finished average, always a number. */
export function encodeAverage({ value }: ResultPlan, sum: Sum, count: Sum): number | null {
  if (sum === null || !count) return null;
  return Number(sum) / Number(count) / 10 ** (value?.kind === 'decimal' ? scaleOf(value.property) : 0);
}

function scaleOf(property: { readonly scale?: number; readonly type: string } | undefined): number {
  return property?.scale ?? 0;
}

/** '12.3' at scale 2 is 1230n. What an engine gives beyond the scale is its own rounding error, and is rounded away. */
function toScaled(text: string, scale: number): bigint {
  const [, sign = '', whole = '0', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(plain(text, scale)) ?? [];
  const digits = fraction.padEnd(scale + 1, '0');
  const scaled = BigInt(whole + digits.slice(0, scale)) + (Number(digits[scale]) >= 5 ? 1n : 0n);
  return sign ? -scaled : scaled;
}

function plain(text: string, scale: number): string {
  return /e/i.test(text) ? Number(text).toFixed(scale) : text;
}

function formatScaled(scaled: bigint, scale: number): string {
  const digits = String(scaled < 0n ? -scaled : scaled).padStart(scale + 1, '0');
  const sign = scaled < 0n ? '-' : '';
  return sign + (scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`);
}
