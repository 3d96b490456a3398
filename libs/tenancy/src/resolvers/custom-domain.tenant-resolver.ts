import { Inject, Injectable } from '@nestjs/common';
import { TENANCY_MODULE_OPTIONS, type TenancyModuleOptions } from '../tenancy.options.js';
import { hostNameOf, isWithin } from './host-name.js';
import type { TenantRequest } from './tenant-request.js';
import type { TenantIdentifier, TenantResolver } from './tenant-resolver.js';

/**
 * A domain of the tenant's own: `shop.acme.example`. It counts once it is verified; a host that no tenant has shown to be
 * theirs names nobody, since the service has names of its own (behind a balancer, inside a network).
 */
@Injectable()
export class CustomDomainTenantResolver implements TenantResolver {
  readonly source = 'domain';

  constructor(@Inject(TENANCY_MODULE_OPTIONS) private readonly options: TenancyModuleOptions) {}

  resolve(request: TenantRequest): TenantIdentifier | undefined {
    const { baseDomain } = this.options;
    const value = hostNameOf(request);
    // One label alone is a name inside of a network; what lies under the base domain is for slugs.
    if (!value?.includes('.') || (baseDomain !== undefined && isWithin(value, baseDomain))) return undefined;
    return { by: 'domain', value };
  }
}
