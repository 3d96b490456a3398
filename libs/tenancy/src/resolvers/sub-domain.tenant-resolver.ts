import { Inject, Injectable } from '@nestjs/common';
import { isReservedSlug } from '../slug.js';
import { TENANCY_MODULE_OPTIONS, type TenancyModuleOptions } from '../tenancy.options.js';
import { hostNameOf } from './host-name.js';
import type { TenantRequest } from './tenant-request.js';
import type { TenantIdentifier, TenantResolver } from './tenant-resolver.js';

/**
 * The slug before the base domain: `acme.rowhouse.example`. The base domain itself and reserved names (`www`, `api`) are the
 * service's own and name nobody; what has more than one label before it names a tenant that does not exist.
 */
@Injectable()
export class SubDomainTenantResolver implements TenantResolver {
  readonly source = 'host';

  constructor(@Inject(TENANCY_MODULE_OPTIONS) private readonly options: TenancyModuleOptions) {}

  resolve(request: TenantRequest): TenantIdentifier | undefined {
    const { baseDomain } = this.options;
    const name = baseDomain === undefined ? undefined : hostNameOf(request);
    if (!name?.endsWith(`.${baseDomain}`)) return undefined;
    const value = name.slice(0, -`.${baseDomain}`.length);
    return isReservedSlug(value) ? undefined : { by: 'slug', value };
  }
}
