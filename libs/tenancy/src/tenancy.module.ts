import { Module } from '@nestjs/common';
import { TenantStore } from './store/tenant-store.js';
import { ConfigurableModuleClass } from './tenancy.module-definition.js';

/**
 * Knows the tenants and where each of them lives. `forRoot(options)` or `forRootAsync({ useFactory, … })`.
 * Needs a provider of `CentralEntityManager` in a global module.
 */
@Module({ providers: [TenantStore], exports: [TenantStore] })
export class TenancyModule extends ConfigurableModuleClass {}
