import { resolveTxt } from 'node:dns/promises';
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '#libs/audit';
import { currentContext, runAs } from '#libs/context';
import { type TenantDomain, TenantDomains, type TenantRecord, TenantStore } from '#libs/tenancy';

/** Domains of tenants' own, for operators. Every change is on record in the tenant's trail. */
@Injectable()
export class TenantDomainService {
  constructor(
    private readonly domains: TenantDomains,
    private readonly tenants: TenantStore,
    private readonly trail: AuditTrail,
  ) {}

  /** @throws {TenantNotFoundError} */
  async list(slug: string): Promise<TenantDomain[]> {
    return this.domains.list((await this.tenants.getBySlug(slug)).id);
  }

  /** @throws {TenantNotFoundError} @throws {InvalidDomainError} @throws {DomainTakenError} */
  async add(slug: string, domain: string): Promise<TenantDomain> {
    const tenant = await this.tenants.getBySlug(slug);
    const added = await this.domains.add(tenant.id, domain);
    await this.#record(tenant, 'domain_added', added.domain);
    return added;
  }

  /** @throws {TenantNotFoundError} @throws {InvalidDomainError} @throws {DomainNotVerifiedError} */
  async verify(slug: string, domain: string): Promise<TenantDomain> {
    const tenant = await this.tenants.getBySlug(slug);
    const verified = await this.domains.verify(tenant.id, domain, resolveTxt);
    await this.#record(tenant, 'domain_verified', verified.domain);
    return verified;
  }

  /** @throws {TenantNotFoundError} @returns whether the tenant had it */
  async remove(slug: string, domain: string): Promise<boolean> {
    const tenant = await this.tenants.getBySlug(slug);
    const removed = await this.domains.remove(tenant.id, domain);
    if (removed) await this.#record(tenant, 'domain_removed', TenantDomains.spell(domain));
    return removed;
  }

  #record(tenant: TenantRecord, action: string, domain: string): Promise<void> {
    const { actor = { id: 'platform', type: 'system' as const } } = currentContext();
    return runAs({ tenant, actor }, () => this.trail.record({ action, details: { domain } }));
  }
}
