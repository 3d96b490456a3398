import { type EntityMetadata, isRaw } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';

/** What the query of an update answers with. Travels as logging context, which is all a driver hands on to its query. */
const ANSWER = Symbol('answer');

type Returning = readonly string[] | undefined;

interface Query {
  processReturningStatement(query: unknown, meta?: EntityMetadata, data?: object, returning?: Returning): void;
}

/** What is overridden here of a driver. */
interface UpdatingDriver {
  nativeUpdate(entity: unknown, where: unknown, data: unknown, options?: UpdateOptions): Promise<unknown>;
  createQueryBuilder(entity: unknown, context?: unknown, type?: unknown, convert?: unknown, logging?: object): Query;
}

interface UpdateOptions {
  readonly em?: unknown;
  readonly upsert?: boolean;
  readonly loggerContext?: object;
}

/** Properties of `meta` that `data`, by column names, sets to an expression. */
function expressionsOf(meta: EntityMetadata, data: object): string[] {
  const values = data as Readonly<Record<string, unknown>>;
  return meta.hydrateProps
    .filter(({ fieldNames }) => fieldNames && isRaw(values[fieldNames[0] as string]))
    .map(({ name }) => name);
}

/**
 * Makes updates ask for what is wanted of the rows they touch, on engines that have `returning`:
 *
 * - `em.nativeUpdate` answers with a count. MikroORM asks for versions and for the values of expressions all the same, and drops
 *   them after every row has been sent and held: 10,000 took twice the time of their update.
 * - A flush wants both. MikroORM asks for the values of expressions only where there is no version, and a versioned entity is
 *   left with the text of the expression as its value.
 */
export function askUpdatesForWhatIsWanted(driver: AbstractSqlDriver): void {
  const updating = driver as unknown as UpdatingDriver;
  const nativeUpdate = updating.nativeUpdate.bind(driver);
  const createQueryBuilder = updating.createQueryBuilder.bind(driver);
  updating.nativeUpdate = (entity, where, data, options) => {
    if (options?.upsert) return nativeUpdate(entity, where, data, options);
    // A flush calls the driver without an EntityManager.
    const answer = options?.em ? 'count' : 'values';
    return nativeUpdate(entity, where, data, {
      ...options,
      loggerContext: { ...options?.loggerContext, [ANSWER]: answer },
    });
  };
  updating.createQueryBuilder = (entity, context, type, convert, logging, ...rest) => {
    const query = createQueryBuilder(entity, context, type, convert, logging, ...(rest as []));
    const answer = logging && (logging as { [ANSWER]?: string })[ANSWER];
    if (answer === 'count') query.processReturningStatement = () => {};
    if (answer === 'values') {
      const process = query.processReturningStatement.bind(query);
      query.processReturningStatement = (native, meta, data, returning) => {
        const withExpressions =
          meta && data && returning?.length ? [...returning, ...expressionsOf(meta, data)] : returning;
        process(native, meta, data, withExpressions);
      };
    }
    return query;
  };
}
