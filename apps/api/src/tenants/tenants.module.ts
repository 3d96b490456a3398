import { Global, Module } from '@nestjs/common';
import { ErasureReach } from '#libs/audit';
import { CrossTenantLedger, IsolationStrategies, PlaceMover, PlacementMoves, TenantDatabases } from '#libs/tenancy';
import { AuditApiModule } from '../audit/audit-api.module.js';
import { MovedTrails } from './moved-trails.js';
import { OrphansService } from './orphans.service.js';
import { SignUpService } from './sign-up.service.js';
import { TenantDomainService } from './tenant-domain.service.js';
import { TenantGate } from './tenant-gate.js';
import { TenantMoveService } from './tenant-move.service.js';
import { TenantPlacer } from './tenant-placer.js';
import { TenantPurgeService } from './tenant-purge.service.js';
import { TenantsController } from './tenants.controller.js';
import { TrailLedger } from './trail-ledger.js';

/** Sign-up, placement of new tenants, the gate every request for a tenant passes, and who tells tenants of the rest. */
@Global()
@Module({
  imports: [AuditApiModule],
  controllers: [TenantsController],
  providers: [
    OrphansService,
    SignUpService,
    TenantDomainService,
    TenantGate,
    TenantMoveService,
    PlacementMoves,
    {
      provide: PlaceMover,
      inject: [IsolationStrategies, TenantDatabases],
      useFactory: (strategies: IsolationStrategies, databases: TenantDatabases) =>
        new PlaceMover(strategies, databases),
    },
    TenantPlacer,
    TenantPurgeService,
    { provide: CrossTenantLedger, useClass: TrailLedger },
    { provide: ErasureReach, useClass: MovedTrails },
  ],
  exports: [
    CrossTenantLedger,
    ErasureReach,
    OrphansService,
    SignUpService,
    TenantDomainService,
    TenantGate,
    TenantMoveService,
    TenantPurgeService,
  ],
})
export class TenantsModule {}
