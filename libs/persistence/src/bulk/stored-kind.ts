import {
  BigIntType,
  BlobType,
  BooleanType,
  DecimalType,
  DoubleType,
  type EntityProperty,
  FloatType,
  IntegerType,
  JsonType,
  MediumIntType,
  type Platform,
  ReferenceKind,
  SmallIntType,
  TinyIntType,
  Uint8ArrayType,
  UuidType,
} from '@mikro-orm/core';
import type { StoredKind } from '../engines/bulk-dialect.js';

const KIND_OF_TYPE = new Map<unknown, StoredKind>([
  [BigIntType, 'bigint'],
  [DecimalType, 'decimal'],
  [DoubleType, 'float'],
  [FloatType, 'float'],
  [BooleanType, 'boolean'],
  [UuidType, 'uuid'],
  [BlobType, 'binary'],
  [Uint8ArrayType, 'binary'],
]);
const KIND_OF_RUNTIME_TYPE: Readonly<Record<string, StoredKind>> = {
  string: 'text',
  boolean: 'boolean',
  Date: 'instant',
  Buffer: 'binary',
  bigint: 'bigint',
};
const WHOLE_NUMBERS = [IntegerType, SmallIntType, TinyIntType, MediumIntType];

/** Whether an embedded value lies in one JSON column, instead of a column for each of its properties. */
export function isEmbeddedJson(property: EntityProperty): boolean {
  return property.kind === ReferenceKind.EMBEDDED && Boolean(property.object || property.array);
}

/** The kind of a property's values. A type of the application's own, also one derived from a built-in type, is `custom`. */
export function storedKindOf(property: EntityProperty, platform: Platform): StoredKind {
  const { customType, runtimeType } = property;
  if (customType instanceof JsonType) return 'json';
  if (customType) return KIND_OF_TYPE.get(customType.constructor) ?? 'custom';
  if (runtimeType === 'number') {
    const column = platform.getMappedType(property.columnTypes[0] ?? '');
    return WHOLE_NUMBERS.some((type) => column instanceof type) ? 'integer' : 'float';
  }
  if (property.type === 'uuid') return 'uuid';
  return KIND_OF_RUNTIME_TYPE[runtimeType] ?? 'custom';
}
