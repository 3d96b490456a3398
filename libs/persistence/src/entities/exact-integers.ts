import { BigIntType, type MetadataStorage, type Platform } from '@mikro-orm/core';

/**
 * Makes `bigint` columns keep every digit on SQLite, whose driver gives integers as numbers: beyond 2^53 the last digits
 * are others. They are read as text instead. Columns that are numbers in entities stay as they are.
 */
export function readExactIntegers(storage: MetadataStorage, platform: Platform): void {
  if (!isSqlite(platform)) return;
  for (const meta of storage.getAll().values()) {
    for (const property of meta.props) {
      const { customType, runtimeType, primary } = property;
      if (!(customType instanceof BigIntType) || runtimeType === 'number' || primary) continue;
      customType.convertToJSValueSQL = (column, on) => (isSqlite(on) ? `cast(${column} as text)` : column);
      property.hasConvertToJSValueSQL = true;
    }
  }
}

/** By name: asking for the class would load the driver into every process. */
export function isSqlite(platform: Platform): boolean {
  return platform.constructor.name === 'SqlitePlatform';
}
