import { TenancyError } from '../../errors/tenancy.error.js';

/**
 * A piece of data names another tenant than the context does: a row about to be written, a reference, a value of
 * `tenantId`. Thrown before any SQL. Which tenant it was is deliberately not told.
 */
export class ForeignTenantError extends TenancyError {
  readonly code = 'foreign_tenant';

  /**
   * @param entityName entity the data belongs to
   * @param where what was looked at, such as `create` or `flush: Order.customer`
   */
  constructor(
    readonly entityName: string,
    readonly where: string,
  ) {
    super(
      `${where}: this ${entityName} does not belong to the tenant of the context. The tenant id is set by the kit and ` +
        'never changes: leave it out of the data, and load what you refer to through the same EntityManager.',
    );
  }
}
