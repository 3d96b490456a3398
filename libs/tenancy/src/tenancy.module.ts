import { Module } from '@nestjs/common';
import { AcrossTenants } from './across/across-tenants.js';
import { TenantDomains } from './domains/tenant-domains.js';
import { TenantLocator } from './resolvers/tenant-locator.js';
import { TenantStore } from './store/tenant-store.js';
import { ConfigurableModuleClass } from './tenancy.module-definition.js';

/**
 * Knows the tenants and where each of them lives. `forRoot(options)` or `forRootAsync({ useFactory, … })`.
 * Needs providers of `CentralEntityManager`, `ChangeNotices` and `CrossTenantLedger` in global modules.
 */
@Module({
  providers: [TenantStore, TenantLocator, TenantDomains, AcrossTenants],
  exports: [TenantStore, TenantLocator, TenantDomains, AcrossTenants],
})
export class TenancyModule extends ConfigurableModuleClass {}
