import { TenancyError } from '../../errors/tenancy.error.js';

/** An EntityManager that has worked for one tenant was used in the context of another. Thrown before any SQL. */
export class EntityManagerOfAnotherTenantError extends TenancyError {
  readonly code = 'entity_manager_of_another_tenant';

  constructor() {
    super(
      'This EntityManager holds the rows of another tenant. Ask CurrentEntityManager for one inside each context ' +
        'instead of keeping it in a field or a closure.',
    );
  }
}
