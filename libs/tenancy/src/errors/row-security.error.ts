import { TenancyError } from './tenancy.error.js';

/** Row-level security of a database is not what the entities ask for, or its role could go round it. At start-up. */
export class RowSecurityError extends TenancyError {
  readonly code = 'row_security';

  /** @param findings  one sentence each: what is wrong, and what to run */
  constructor(
    readonly database: string,
    readonly findings: readonly string[],
    options?: ErrorOptions,
  ) {
    super(`Row-level security does not hold in ${database}:\n${findings.map((it) => `- ${it}`).join('\n')}`, options);
  }
}
