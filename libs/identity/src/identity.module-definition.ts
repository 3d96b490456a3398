import { ConfigurableModuleBuilder } from '@nestjs/common';
import { IDENTITY_MODULE_OPTIONS, type IdentityModuleOptions } from './identity.options.js';

export const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<IdentityModuleOptions>({ optionsInjectionToken: IDENTITY_MODULE_OPTIONS })
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
    .build();
