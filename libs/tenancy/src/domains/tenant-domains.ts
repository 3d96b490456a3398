import { randomBytes } from 'node:crypto';
import { UniqueConstraintViolationException } from '@mikro-orm/core';
import { Injectable } from '@nestjs/common';
import { CentralEntityManager } from '#libs/persistence';
import { TenantDomain } from '../entities/tenant-domain.entity.js';
import { DomainNotVerifiedError } from '../errors/domain-not-verified.error.js';
import { DomainTakenError } from '../errors/domain-taken.error.js';
import { InvalidDomainError } from '../errors/invalid-domain.error.js';
import { TenantStore } from '../store/tenant-store.js';

/** Letters, digits and hyphens in at least two labels, and no number last: names that DNS can answer for. */
const DOMAIN = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

/** Reads the TXT records of a name, each in its parts. `dns/promises`' `resolveTxt` is one. */
export type ResolveTxt = (name: string) => Promise<string[][]>;

/**
 * Domains of tenants' own. One that is added names nobody until its DNS shows that the tenant has it: else a tenant could
 * claim another's host, and be handed the passwords that people type there.
 */
@Injectable()
export class TenantDomains {
  constructor(
    private readonly central: CentralEntityManager,
    private readonly tenants: TenantStore,
  ) {}

  /** The name whose TXT record must hold the challenge of `domain`. */
  static recordName(domain: string): string {
    return `_rowhouse.${domain}`;
  }

  /** As a domain is kept and looked up: in small letters, without a final dot. */
  static spell(domain: string): string {
    return domain.toLowerCase().replace(/\.$/, '');
  }

  /** Oldest first. */
  list(tenantId: string): Promise<TenantDomain[]> {
    return this.central.get().find(TenantDomain, { tenantId }, { orderBy: { createdAt: 'asc', domain: 'asc' } });
  }

  /**
   * Adds a domain, not yet verified. Again for the same tenant: gives the one that is there.
   * @throws {InvalidDomainError} @throws {DomainTakenError}
   */
  async add(tenantId: string, domain: string): Promise<TenantDomain> {
    const name = TenantDomains.spell(domain);
    if (!DOMAIN.test(name)) throw new InvalidDomainError(domain);
    const em = this.central.get().fork();
    const existing = await em.findOne(TenantDomain, { domain: name });
    if (existing?.tenantId === tenantId) return existing;
    // Who only says that a domain is theirs does not keep it from whoever can show it, be it at this moment.
    await em.nativeDelete(TenantDomain, { domain: name, verifiedAt: null });
    em.clear();
    const added = new TenantDomain(name, tenantId, randomBytes(24).toString('hex'));
    await em
      .persist(added)
      .flush()
      .catch((cause) => {
        throw cause instanceof UniqueConstraintViolationException ? new DomainTakenError(name, { cause }) : cause;
      });
    return added;
  }

  /**
   * Looks the challenge up in the DNS, and lets the domain name its tenant from the next request on.
   * @throws {InvalidDomainError} it is none of the tenant's, or no more
   * @throws {DomainNotVerifiedError} the record is not there, or not yet
   */
  async verify(tenantId: string, given: string, resolveTxt: ResolveTxt): Promise<TenantDomain> {
    const domain = TenantDomains.spell(given);
    const em = this.central.get();
    const found = await em.findOne(TenantDomain, { domain, tenantId });
    if (!found) throw new InvalidDomainError(given);
    const name = TenantDomains.recordName(domain);
    const records = await resolveTxt(name).catch(() => []);
    if (!records.some((parts) => parts.join('') === found.challenge)) {
      throw new DomainNotVerifiedError(name, found.challenge);
    }
    const { challenge, verifiedAt } = found;
    await em.transactional(async (transaction) => {
      // While the DNS was asked, another tenant may have taken it over.
      const own = { domain, tenantId, challenge };
      const count = await transaction.nativeUpdate(TenantDomain, own, { verifiedAt: verifiedAt ?? new Date() });
      if (count !== 1) throw new InvalidDomainError(domain);
      await this.tenants.announceDomain(transaction, domain);
    });
    this.tenants.forgetDomain(domain);
    return em.findOneOrFail(TenantDomain, { domain, tenantId }, { refresh: true });
  }

  /** Takes a domain away; it names nobody from the next request on. @returns whether the tenant had it */
  async remove(tenantId: string, given: string): Promise<boolean> {
    const domain = TenantDomains.spell(given);
    const removed = await this.central.get().transactional(async (transaction) => {
      await this.tenants.announceDomain(transaction, domain);
      return transaction.nativeDelete(TenantDomain, { domain, tenantId });
    });
    this.tenants.forgetDomain(domain);
    return removed === 1;
  }
}
