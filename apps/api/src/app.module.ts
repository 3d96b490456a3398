import { type DynamicModule, Module } from '@nestjs/common';
import { AuditModule } from '#libs/audit';
import { IdentityModule } from '#libs/identity';
import { TenancyModule } from '#libs/tenancy';
import { ApiKeysModule } from './api-keys/api-keys.module.js';
import { AuditApiModule, reportSealing } from './audit/audit-api.module.js';
import { AuditKeyFile } from './audit/audit-key-file.js';
import { reportAuditGap } from './audit/report-audit-gap.js';
import { AuthModule } from './auth/auth.module.js';
import { AppConfig } from './config/app.config.js';
import { ConfigModule } from './config/config.module.js';
import { getJwtSecret } from './config/data-dir.js';
import { DemoModule } from './demo/demo.module.js';
import { HealthModule } from './health/health.module.js';
import { HttpModule } from './http/http.module.js';
import { LimiterFactory } from './limits/limiter.factory.js';
import { LimitsModule } from './limits/limits.module.js';
import { MembersModule } from './members/members.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { PlatformModule } from './platform/platform.module.js';
import { CatalogueModule } from './shop/catalogue/catalogue.module.js';
import { OrdersModule } from './shop/orders/orders.module.js';
import { WalletsModule } from './shop/wallets/wallets.module.js';
import { StorageModule } from './storage/storage.module.js';
import { TenantsModule } from './tenants/tenants.module.js';

/** The whole application for one configuration. The only place where the libs meet. */
@Module({})
export class AppModule {
  static forConfig(config: AppConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(config),
        StorageModule,
        TenancyModule.forRoot({ baseDomain: config.tenantBaseDomain }),
        LimitsModule,
        IdentityModule.forRootAsync({
          inject: [LimiterFactory],
          useFactory: ({ create }: LimiterFactory) => ({ secret: getJwtSecret(config), createLimiter: create }),
        }),
        AuditModule.forRootAsync({
          useFactory: () => ({
            keys: new AuditKeyFile(config.auditKeysFile),
            onSealingError: reportSealing,
            onFailure: config.auditOnFailure,
            onGap: reportAuditGap,
          }),
        }),
        HttpModule,
        HealthModule,
        MetricsModule,
        TenantsModule,
        AuthModule,
        MembersModule,
        ApiKeysModule,
        PlatformModule,
        AuditApiModule,
        CatalogueModule,
        WalletsModule,
        OrdersModule,
        DemoModule,
      ],
    };
  }
}
