import { Module } from '@nestjs/common';
import { AcrossTenants } from './across/across-tenants.js';
import { TenantStore } from './store/tenant-store.js';
import { ConfigurableModuleClass } from './tenancy.module-definition.js';

/**
 * Knows the tenants and where each of them lives. `forRoot(options)` or `forRootAsync({ useFactory, … })`.
 * Needs providers of `CentralEntityManager` and `CrossTenantLedger` in global modules.
 */
@Module({ providers: [TenantStore, AcrossTenants], exports: [TenantStore, AcrossTenants] })
export class TenancyModule extends ConfigurableModuleClass {}
