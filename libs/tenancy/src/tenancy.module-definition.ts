import { ConfigurableModuleBuilder } from '@nestjs/common';
import { TENANCY_MODULE_OPTIONS, type TenancyModuleOptions } from './tenancy.options.js';

export const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<TenancyModuleOptions>({ optionsInjectionToken: TENANCY_MODULE_OPTIONS })
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
    .build();
