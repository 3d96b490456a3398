import { Inject, Injectable } from '@nestjs/common';
import { AmbiguousTenantError } from '../errors/ambiguous-tenant.error.js';
import { TENANCY_MODULE_OPTIONS, type TenancyModuleOptions } from '../tenancy.options.js';
import type { TenantRequest } from './tenant-request.js';
import type { TenantIdentifier, TenantResolver } from './tenant-resolver.js';

/** A slug in a header, `X-Tenant` unless configured otherwise. An empty one names a tenant too: none that exists. */
@Injectable()
export class HeaderTenantResolver implements TenantResolver {
  readonly source = 'header';

  constructor(@Inject(TENANCY_MODULE_OPTIONS) private readonly options: TenancyModuleOptions) {}

  resolve({ headers }: TenantRequest): TenantIdentifier | undefined {
    const value = headers[this.options.headerName ?? 'x-tenant'];
    if (value === undefined) return undefined;
    // No slug has a comma: the header came twice, and who reads the first may stand before who reads the last.
    if (typeof value !== 'string' || value.includes(',')) throw new AmbiguousTenantError(this.source);
    return { by: 'slug', value };
  }
}
