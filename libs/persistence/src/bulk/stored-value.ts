import { isDeepStrictEqual } from 'node:util';
import { type EntityProperty, isRaw, type Platform } from '@mikro-orm/core';
import type { BulkColumn, StoredKind } from '../engines/bulk-dialect.js';
import { converterOf } from '../events/stored-shape.js';
import { InvalidValue } from './invalid-value.js';
import type { MappingTools } from './mapped-column.js';
import { isEmbeddedJson } from './stored-kind.js';

type Convert = (value: unknown) => unknown;

/** How values of one property become what is stored, and back. None of the functions is called with null. */
export interface StoredValueType {
  /** @throws {InvalidValue} */
  toStored(value: unknown): unknown;
  fromRead(read: unknown): unknown;
  /** Whether writing `b` over `a` would change nothing. */
  isSame(a: unknown, b: unknown): boolean;
  /** The form of `Change` values: points in time as `Date`, JSON parsed. */
  toChanged(stored: unknown): unknown;
}

function expectType(value: unknown, holds: boolean, expected: string): unknown {
  if (!holds) throw new InvalidValue(`must be ${expected}`);
  return value;
}

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

function toBigInt(value: unknown): string {
  // A number beyond 2^53 has already lost digits: what would be stored is not what was meant.
  if (typeof value === 'number') return String(expectType(value, Number.isSafeInteger(value), SAFE));
  const isWhole = typeof value === 'bigint' || (typeof value === 'string' && /^-?\d{1,19}$/.test(value));
  const whole = BigInt(expectType(value, isWhole, 'a whole number of 64 bits') as bigint | string);
  expectType(whole, whole >= INT64.min && whole <= INT64.max, 'a whole number of 64 bits');
  return whole.toString();
}

const SAFE = 'a whole number up to 2^53 − 1';
const DECIMAL = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** What each kind takes. Wrong types are refused here because SQLite would store them. */
const TO_STORED: Readonly<Partial<Record<StoredKind, Convert>>> = {
  text: (value) => expectType(value, typeof value === 'string', 'a string'),
  uuid: (value) => expectType(value, typeof value === 'string', 'a string'),
  integer: (value) => expectType(value, Number.isSafeInteger(value), SAFE),
  float: (value) => expectType(value, Number.isFinite(value), 'a finite number'),
  boolean: (value) => expectType(value, typeof value === 'boolean', 'a boolean'),
  binary: (value) => Buffer.from(expectType(value, value instanceof Uint8Array, 'a Uint8Array') as Uint8Array),
  bigint: toBigInt,
  decimal: (value) =>
    String(
      expectType(value, ['string', 'number'].includes(typeof value) && DECIMAL.test(String(value)), 'a decimal number'),
    ),
  instant(value) {
    const isValid = value instanceof Date && !Number.isNaN(value.getTime());
    return (expectType(value, isValid, 'a valid Date') as Date).getTime();
  },
};

/** Through the property's own type, with the context in which a flush calls it. */
function convertByType(property: EntityProperty, platform: Platform): Convert {
  const { customType } = property;
  if (!customType) return (value) => value;
  return (value) => {
    try {
      return customType.convertToDatabaseValue(value, platform, { mode: 'serialization' });
    } catch (error) {
      throw new InvalidValue(`is refused by its type: ${error instanceof Error ? error.message : error}`);
    }
  };
}

function toJsonText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return expectType(text, text !== undefined, 'a JSON value') as string;
}

function createToStored(property: EntityProperty, kind: StoredKind, platform: Platform): Convert {
  const byType = convertByType(property, platform);
  const convert = kind === 'json' ? (value: unknown) => toJsonText(byType(value)) : (TO_STORED[kind] ?? byType);
  const items = property.enum && property.items ? new Set<unknown>(property.items) : undefined;
  return (given) => {
    if (typeof given === 'object' && isRaw(given)) throw new InvalidValue('must be a value, no SQL expression');
    const value = property.ref && isReference(given) ? given.unwrap() : given;
    if (items && !items.has(value)) throw new InvalidValue(`must be one of ${[...items].join(', ')}`);
    return convert(value);
  };
}

/** Lazy scalars are wrapped. */
function isReference(value: unknown): value is { unwrap(): unknown } {
  return typeof value === 'object' && value !== null && 'unwrap' in value;
}

/** The order of keys is no change: PostgreSQL does not keep it. */
function isSameJson(a: unknown, b: unknown): boolean {
  return a === b || isDeepStrictEqual(JSON.parse(a as string), JSON.parse(b as string));
}

function createIsSame({ customType }: EntityProperty, kind: StoredKind): (a: unknown, b: unknown) => boolean {
  if (kind === 'json') return isSameJson;
  if (kind === 'binary') return (a, b) => Buffer.compare(a as Buffer, b as Buffer) === 0;
  if (kind === 'decimal' || kind === 'custom') return customType?.compareValues?.bind(customType) ?? isDeepStrictEqual;
  return (a, b) => a === b;
}

/** How values of `property` become what is stored, and back, on the engine of `dialect`. */
export function createStoredValueType(
  tools: MappingTools,
  property: EntityProperty,
  column: BulkColumn,
): StoredValueType {
  const { platform, dialect } = tools;
  const { kind } = column;
  const { customType } = property;
  const embedded = isEmbeddedJson(property) ? tools.embeddedJsonOf(property) : undefined;
  const toStored = embedded?.toText ?? createToStored(property, kind, platform);
  const toKept = dialect.toKept(column);
  const byType = convertByType(property, platform);
  return {
    toStored: toKept ? (value) => toKept(toStored(value)) : toStored,
    fromRead:
      kind === 'custom' && customType
        ? (read) => byType(customType.convertToJSValue(read, platform))
        : (dialect.fromRead(column) ?? ((read) => read)),
    isSame: createIsSame(property, kind),
    toChanged: (embedded?.fromText as Convert | undefined) ?? converterOf(property),
  };
}
