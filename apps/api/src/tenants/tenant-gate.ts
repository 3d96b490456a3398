import { Injectable } from '@nestjs/common';
import { AuditTrail } from '#libs/audit';
import { type Context, NoTenantInContextError, runAs } from '#libs/context';
import { AccountStore, type Caller, type Principal } from '#libs/identity';
import {
  assertServed,
  TenantLocator,
  TenantMismatchError,
  TenantNotFoundError,
  type TenantRecord,
  type TenantRequest,
  TenantStore,
} from '#libs/tenancy';

/**
 * Decides which tenant a request works for. The tenant of the credentials is authoritative; what else names one (header,
 * host, path) only repeats it. Credentials that speak for no tenant may select one among the memberships behind them.
 * Runs before any storage of a tenant is opened.
 */
@Injectable()
export class TenantGate {
  constructor(
    private readonly tenants: TenantStore,
    private readonly locator: TenantLocator,
    private readonly accounts: AccountStore,
    private readonly trail: AuditTrail,
  ) {}

  /**
   * Binds the tenant a request works for to `context`.
   *
   * @param optional  whether the route also works for no tenant
   * @returns the caller, with the membership that was selected
   * @throws {NoTenantInContextError} neither credentials nor request name a tenant
   * @throws {TenantMismatchError} the request names another tenant than the credentials, real or not; on record there
   * @throws {TenantNotFoundError} the request names a tenant that is none of the caller's, real or not
   * @throws {AmbiguousTenantError} @throws {TenantSuspendedError}
   */
  async enter(context: Context, caller: Caller, request: TenantRequest, optional: boolean): Promise<Caller> {
    const tenantId = caller.kind === 'user' ? caller.membership?.tenantId : caller.tenantId;
    const tenant = tenantId === undefined ? undefined : await this.tenants.findById(tenantId);
    if (!tenant) return this.#select(context, caller, request, optional);
    assertServed(tenant);
    context.bindTenant(tenant);
    await this.#compare(request, tenant);
    return caller;
  }

  /**
   * The tenant that a request without credentials names by host, header or path.
   * @throws {TenantNotFoundError} @throws {AmbiguousTenantError}
   */
  findNamed(request: TenantRequest): Promise<TenantRecord | undefined> {
    return this.locator.find(request);
  }

  /**
   * Checks, for credentials that come in a body, that they are used where they belong.
   * @throws {TenantMismatchError} on record in the tenant of the credentials @throws {AmbiguousTenantError}
   */
  async assertBelongs(request: TenantRequest, tenant: TenantRecord, { id, email }: TokenHolder): Promise<void> {
    await runAs({ tenant, actor: { id, type: 'user', email } }, () => this.#compare(request, tenant));
  }

  async #compare(request: TenantRequest, tenant: TenantRecord): Promise<void> {
    try {
      await this.locator.assertNamesNoOther(request, tenant);
    } catch (error) {
      if (error instanceof TenantMismatchError) {
        await this.trail.record({ action: 'tenant_mismatch', details: { named: error.identifier.slice(0, 100) } });
      }
      throw error;
    }
  }

  async #select(context: Context, caller: Caller, request: TenantRequest, optional: boolean): Promise<Caller> {
    const tenant = await this.locator.find(request);
    if (!tenant && optional) return caller;
    // A key's tenant that is gone is no reason to look for another one.
    if (!tenant || caller.kind !== 'user' || caller.membership) throw new NoTenantInContextError();
    const membership = await this.#membershipOf(caller, tenant);
    if (!membership) throw new TenantNotFoundError(tenant.slug);
    assertServed(tenant);
    context.bindTenant(tenant);
    return Object.freeze<Principal>({ ...caller, membership });
  }

  async #membershipOf({ userId }: Principal, { id: tenantId }: TenantRecord): Promise<Principal['membership']> {
    const found = await this.accounts.findMembership(userId, tenantId);
    return found && Object.freeze({ tenantId, role: found.role });
  }
}

/** Whose token it is. */
export interface TokenHolder {
  readonly id: string;
  readonly email: string;
}
