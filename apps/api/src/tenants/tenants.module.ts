import { Global, Module } from '@nestjs/common';
import { SignUpService } from './sign-up.service.js';
import { TenantGate } from './tenant-gate.js';
import { TenantPlacer } from './tenant-placer.js';
import { TenantsController } from './tenants.controller.js';

/** Sign-up, placement of new tenants, and the gate every request for a tenant passes. */
@Global()
@Module({
  controllers: [TenantsController],
  providers: [SignUpService, TenantGate, TenantPlacer],
  exports: [SignUpService, TenantGate],
})
export class TenantsModule {}
