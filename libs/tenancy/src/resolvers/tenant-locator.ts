import { Inject, Injectable } from '@nestjs/common';
import { AmbiguousTenantError } from '../errors/ambiguous-tenant.error.js';
import { TenantMismatchError } from '../errors/tenant-mismatch.error.js';
import type { TenantRecord } from '../store/tenant-record.js';
import { TenantStore } from '../store/tenant-store.js';
import { TENANT_RESOLVERS } from '../tenancy.tokens.js';
import type { TenantRequest } from './tenant-request.js';
import type { TenantIdentifier, TenantResolver } from './tenant-resolver.js';

/**
 * Asks every resolver which tenant a request names. None of them is trusted: where credentials speak for a tenant, that
 * tenant it is, and what the request names must be the same.
 */
@Injectable()
export class TenantLocator {
  constructor(
    @Inject(TENANT_RESOLVERS) private readonly resolvers: readonly TenantResolver[],
    private readonly tenants: TenantStore,
  ) {}

  /**
   * The tenant that a request names, for requests whose credentials speak for none. The caller checks whether whoever asks
   * is a member, and answers a stranger as if there were no such tenant.
   *
   * @returns `undefined` when it names none
   * @throws {AmbiguousTenantError} it names several
   * @throws {TenantNotFoundError} it names one that does not exist
   */
  async find(request: TenantRequest): Promise<TenantRecord | undefined> {
    let found: { readonly tenant: TenantRecord; readonly source: string } | undefined;
    for (const { source, named } of this.#ask(request)) {
      const tenant = await this.#look(named);
      if (!tenant) continue;
      if (found && found.tenant.id !== tenant.id) throw new AmbiguousTenantError(`${found.source}, ${source}`);
      found ??= { tenant, source };
    }
    return found?.tenant;
  }

  /**
   * Checks that a request names no other tenant than the one its credentials speak for. A slug is compared and never
   * looked up: whether it exists makes no difference, in the answer or in the time it takes.
   *
   * @throws {TenantMismatchError} @throws {AmbiguousTenantError}
   */
  async assertNamesNoOther(request: TenantRequest, tenant: TenantRecord): Promise<void> {
    for (const { named } of this.#ask(request)) {
      const isSame = named.by === 'slug' ? named.value === tenant.slug : await this.#isOwn(named.value, tenant);
      if (!isSame) throw new TenantMismatchError(named.value);
    }
  }

  /** All of them, before anything is looked up. */
  #ask(request: TenantRequest): { readonly source: string; readonly named: TenantIdentifier }[] {
    return this.resolvers.flatMap((resolver) => {
      const named = resolver.resolve(request);
      return named ? [{ source: resolver.source, named }] : [];
    });
  }

  /** @throws {TenantNotFoundError} for a slug; a domain nobody has names nobody */
  async #look({ by, value }: TenantIdentifier): Promise<TenantRecord | undefined> {
    if (by === 'slug') return this.tenants.getBySlug(value);
    const tenantId = await this.tenants.findIdByDomain(value);
    return tenantId === undefined ? undefined : this.tenants.findById(tenantId);
  }

  async #isOwn(domain: string, tenant: TenantRecord): Promise<boolean> {
    const tenantId = await this.tenants.findIdByDomain(domain);
    return tenantId === undefined || tenantId === tenant.id;
  }
}
