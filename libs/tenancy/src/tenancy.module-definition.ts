import { ConfigurableModuleBuilder } from '@nestjs/common';
import { CustomDomainTenantResolver } from './resolvers/custom-domain.tenant-resolver.js';
import { HeaderTenantResolver } from './resolvers/header.tenant-resolver.js';
import { PathTenantResolver } from './resolvers/path.tenant-resolver.js';
import { SubDomainTenantResolver } from './resolvers/sub-domain.tenant-resolver.js';
import type { TenantResolver } from './resolvers/tenant-resolver.js';
import { TENANCY_MODULE_OPTIONS, type TenancyModuleExtras, type TenancyModuleOptions } from './tenancy.options.js';
import { TENANT_RESOLVERS } from './tenancy.tokens.js';

const defaults: Required<TenancyModuleExtras> = {
  isGlobal: true,
  resolvers: [HeaderTenantResolver, SubDomainTenantResolver, CustomDomainTenantResolver, PathTenantResolver],
};

export const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<TenancyModuleOptions>({ optionsInjectionToken: TENANCY_MODULE_OPTIONS })
    .setClassMethodName('forRoot')
    .setExtras<TenancyModuleExtras>(defaults, (definition, { isGlobal, resolvers = defaults.resolvers }) => ({
      ...definition,
      global: isGlobal,
      providers: [
        ...(definition.providers ?? []),
        ...resolvers,
        { provide: TENANT_RESOLVERS, inject: resolvers, useFactory: (...all: TenantResolver[]) => all },
      ],
    }))
    .build();
