import { Injectable } from '@nestjs/common';
import { AuditTrail } from '#libs/audit';
import type { Context } from '#libs/context';
import { NoTenantInContextError } from '#libs/context';
import { assertServed, TenantMismatchError, TenantStore } from '#libs/tenancy';

/**
 * Decides which tenant a request works for. The membership behind the credentials is authoritative; a header only
 * repeats it. Runs before any storage of a tenant is opened.
 */
@Injectable()
export class TenantGate {
  constructor(
    private readonly tenants: TenantStore,
    private readonly trail: AuditTrail,
  ) {}

  /**
   * Binds the tenant that the credentials speak for to `context`.
   *
   * @param tenantId  tenant of the credentials, if they have one
   * @param selected  value of `X-Tenant`; a repeated header counts as a name that no tenant has
   * @param optional  whether the route also works for no tenant
   * @throws {NoTenantInContextError} the credentials speak for no tenant
   * @throws {TenantMismatchError} the header names another tenant, real or not; on record in the credentials' tenant
   * @throws {TenantSuspendedError}
   */
  async enter(
    context: Context,
    tenantId: string | undefined,
    selected: string | string[] | undefined,
    optional: boolean,
  ): Promise<void> {
    const tenant = tenantId === undefined ? undefined : await this.tenants.findById(tenantId);
    if (!tenant) {
      if (optional && selected === undefined) return;
      throw new NoTenantInContextError();
    }
    assertServed(tenant);
    context.bindTenant(tenant);
    if (selected !== undefined && selected !== tenant.slug) {
      const identifier = String(selected).slice(0, 100);
      await this.trail.record({ action: 'tenant_mismatch', details: { named: identifier } });
      throw new TenantMismatchError(identifier);
    }
  }
}
