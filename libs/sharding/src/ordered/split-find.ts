import type { EntityName, FilterQuery, FindOptions } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';

/** A row as MikroORM's driver gives it: values of columns by property, not yet an object. */
export type DriverRow = Readonly<Record<string, unknown>>;

/** One `em.find`, as the sharded EntityManager calls it. Untyped inside, like the reader. */
export interface FindCall {
  readonly entityName: EntityName<object>;
  readonly where: FilterQuery<object>;
  readonly options: FindOptions<object, never, never, never>;
}

type Rows = readonly DriverRow[];
type Between = (read: () => Promise<Rows>) => Promise<Rows>;

/** Travels with the options of a find to the driver, which MikroORM hands them on to whole. */
const BETWEEN = Symbol('between rows and objects');

const taught = new WeakSet<AbstractSqlDriver>();

/**
 * Lets finds of one MikroORM instance be done in two steps: rows first, objects of some of them later. Of a page over
 * several shards most rows are read in vain, and to make an object of one costs several times what it costs to read it.
 * Both steps are MikroORM's own `find`, so that filters, hints, subscribers and overrides of the EntityManager hold.
 */
export function teachSplitFind(driver: AbstractSqlDriver): void {
  if (taught.has(driver)) return;
  taught.add(driver);
  const find = driver.find.bind(driver) as (...args: unknown[]) => Promise<Rows>;
  driver.find = ((entityName: unknown, where: unknown, options?: { [BETWEEN]?: Between }) => {
    const between = options?.[BETWEEN];
    const read = () => find(entityName, where, options);
    return between ? between(read) : read();
  }) as typeof driver.find;
}

/** The rows of a find, as objects of which nothing is made. */
export async function readRows(em: SqlEntityManager, { entityName, where, options }: FindCall): Promise<Rows> {
  let rows: Rows = [];
  const between: Between = async (read) => {
    rows = await read();
    return [];
  };
  await em.find(entityName, where, { ...options, [BETWEEN]: between } as never);
  return rows;
}

/** The objects of rows that the same find has read; relations it asks for are loaded for these alone. */
export function makeObjects(
  em: SqlEntityManager,
  { entityName, where, options }: FindCall,
  rows: Rows,
): Promise<object[]> {
  let own: Rows | undefined = rows;
  // The option travels on with the load of many-to-many relations, whose rows are of another table and to be read.
  const between: Between = async (read) => {
    const given = own;
    own = undefined;
    return given ?? read();
  };
  return em.find(entityName, where, { ...options, [BETWEEN]: between } as never);
}

/** Whether a find may be answered without its driver being asked. */
export function mayBeCached(em: SqlEntityManager, { cache }: FindCall['options']): boolean {
  return Boolean(cache ?? em.config.get('resultCache').global);
}
