import { BigIntType, type MetadataStorage, type Platform } from '@mikro-orm/core';
import { QueryBuilderHelper } from '@mikro-orm/sql';

/** Whether a column is being written into a condition, an order or a group, and not into what is selected. */
let isCompared = false;

/**
 * Makes `bigint` columns keep every digit on SQLite, whose driver gives integers as numbers: beyond 2^53 the last digits
 * are others. They are selected as text instead, and compared and ordered as the integers they are. Columns that are
 * numbers in entities stay as they are.
 */
export function readExactIntegers(storage: MetadataStorage, platform: Platform): void {
  if (!isSqlite(platform)) return;
  for (const meta of storage.getAll().values()) {
    for (const property of meta.props) {
      const { customType, runtimeType, primary } = property;
      if (!(customType instanceof BigIntType) || runtimeType === 'number' || primary) continue;
      customType.convertToJSValueSQL = (column, on) =>
        isSqlite(on) && !isCompared ? `cast(${column} as text)` : column;
      property.hasConvertToJSValueSQL = true;
    }
  }
}

/** By name: asking for the class would load the driver into every process. */
export function isSqlite(platform: Platform): boolean {
  return platform.constructor.name === 'SqlitePlatform';
}

/**
 * MikroORM 7.2.1 writes a column's conversion wherever the column stands, which would compare these as text. Its mapper
 * is told `null` for an alias exactly where nothing is selected; that it is synchronous makes one flag enough.
 */
function compareAsStored(): void {
  const { mapper } = QueryBuilderHelper.prototype;
  QueryBuilderHelper.prototype.mapper = function mapperOfExactIntegers(
    this: QueryBuilderHelper,
    ...args: Parameters<typeof mapper>
  ) {
    const outer = isCompared;
    isCompared = args[3] === null;
    try {
      return Reflect.apply(mapper, this, args);
    } finally {
      isCompared = outer;
    }
  } as typeof mapper;
}

compareAsStored();
