import type { AbstractSqlDriver } from '@mikro-orm/sql';
import { type ContextTenant, findContext } from '#libs/context';

/**
 * `collection.matching()` on a pivot table forgets the schema of its EntityManager, and would look where the connection
 * does. This adds the one that the guard expects of the tenant, which is also the only one that it lets through.
 */
export function keepSchemaOfPivots(
  driver: AbstractSqlDriver,
  schemaOf: (tenant: ContextTenant) => string | undefined,
): void {
  const load = driver.loadFromPivotTable.bind(driver) as (...given: unknown[]) => Promise<never>;
  driver.loadFromPivotTable = (prop, owners, where, orderBy, ctx, options, pivotJoin) => {
    const tenant = findContext()?.tenant;
    const schema = options?.schema ?? (tenant && schemaOf(tenant));
    // Not into the caller's own object: another tenant may be next to use it.
    const found = schema === undefined ? options : { ...options, schema };
    return load(prop, owners, where, orderBy, ctx, found, pivotJoin);
  };
}
