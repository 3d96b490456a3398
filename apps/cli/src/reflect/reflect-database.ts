import { MikroORM } from '@mikro-orm/core';
import { EntityGenerator } from '@mikro-orm/entity-generator';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import { getEngine, ormOptions } from '#libs/persistence';
import { keepKeyColumns, readKeyColumns } from './key-columns.js';
import { readForeignKeysWhole } from './sqlite-foreign-keys.js';

/** One generated file. */
export interface ReflectedEntity {
  /** `order-line.entity.ts` */
  readonly fileName: string;
  readonly source: string;
}

/** Which tables are read. */
export interface ReflectOptions {
  /** Names of tables; default: all but MikroORM's own ledgers. */
  readonly tables?: readonly string[];
  /** Schema (postgresql) or database (mysql, mariadb); default: that of the URL. */
  readonly schema?: string;
}

/** What tools keep in a database for themselves. */
const LEDGERS = [/^mikro_orm_/, /^sqlite_/, /^_prisma_/, /^(flyway|alembic)_/];

/**
 * Reads the tables behind `url` and writes an entity for each: columns, keys, relations, checks and unique constraints. A
 * table of two foreign keys alone becomes a many-to-many. It reads the catalogue and nothing else: no row, no change.
 *
 * @throws {UnknownEngineError} when no engine knows the URL
 * @see SQLAlchemy `MetaData.reflect()`; ours gives source text, so that what was read can be reviewed and kept
 */
export async function reflectDatabase(url: string, options: ReflectOptions = {}): Promise<ReflectedEntity[]> {
  const orm = await MikroORM.init<AbstractSqlDriver>(
    ormOptions(url, {
      // The engine's own driver, said again for the type: nothing is mapped yet.
      driver: getEngine(url).driver,
      entities: [],
      discovery: { warnWhenNoEntities: false },
      extensions: [EntityGenerator],
      logger: () => {},
    }),
  );
  if (getEngine(url).name === 'sqlite') readForeignKeysWhole(orm.driver);
  try {
    const keyColumns = await readKeyColumns(orm.driver, options.schema);
    const sources = await orm.entityGenerator.generate({
      entityDefinition: 'decorators',
      decorators: 'legacy',
      scalarTypeInDecorator: true,
      esmImport: true,
      bidirectionalRelations: false,
      scalarPropertiesForRelations: 'always',
      takeTables: options.tables ? [...options.tables] : undefined,
      skipTables: LEDGERS,
      schema: options.schema,
      fileName: (className) => `${toKebab(className)}.entity`,
      onProcessedMetadata: (metadata) => keepKeyColumns(metadata, keyColumns),
    });
    return sources.map((source) => ({ fileName: nameOf(source), source }));
  } finally {
    await orm.close(true);
  }
}

function nameOf(source: string): string {
  const [, className = 'unnamed'] = /export (?:abstract )?(?:class|enum|const) (\w+)/.exec(source) ?? [];
  return `${toKebab(className)}.entity.ts`;
}

function toKebab(className: string): string {
  return className.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
}
