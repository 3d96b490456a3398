import { TenancyError } from '../../errors/tenancy.error.js';

/** The entities of tenant databases leave rows without an owner. Thrown at start-up, all findings at once. */
export class EntityNotTenantScopedError extends TenancyError {
  readonly code = 'entity_not_tenant_scoped';

  /** @param findings one sentence each: entity, what is wrong, what to write */
  constructor(readonly findings: readonly string[]) {
    super(
      `Entities of tenant databases must carry the tenant:\n${findings.map((finding) => `  - ${finding}`).join('\n')}`,
    );
  }
}
