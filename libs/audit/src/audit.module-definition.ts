import { ConfigurableModuleBuilder } from '@nestjs/common';
import { AUDIT_MODULE_OPTIONS, type AuditModuleOptions } from './audit.options.js';

export const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<AuditModuleOptions>({ optionsInjectionToken: AUDIT_MODULE_OPTIONS })
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
    .build();
