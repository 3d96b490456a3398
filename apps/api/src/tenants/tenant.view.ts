import type { Tenant, TenantRecord } from '#libs/tenancy';

/** A tenant as the API shows it to its members. Its placement is nobody's business but the operator's. */
export function toTenantView({ id, slug, name, status }: Tenant | TenantRecord) {
  return { id, slug, name, status };
}
