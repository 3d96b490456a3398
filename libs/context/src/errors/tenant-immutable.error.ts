import { ContextError } from './context.error.js';

/** The tenant of a context was written a second time, or while a transaction of that context was open. */
export class TenantImmutableError extends ContextError {
  readonly code = 'tenant_immutable';

  constructor(
    readonly tenantId: string | undefined,
    readonly because: 'already set' | 'a transaction is open',
  ) {
    super(
      `The tenant of this context cannot change: ${because}. Work for another tenant belongs into runAs({ tenant, actor }, fn), outside any transaction.`,
    );
  }
}
