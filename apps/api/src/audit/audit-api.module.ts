import { Logger, Module } from '@nestjs/common';
import { SealScheduler, TenantRoster } from '#libs/audit';
import { AuditController } from './audit.controller.js';
import { AuditWitnesses } from './audit-witnesses.js';
import { CentralTenantRoster } from './central-tenant-roster.js';
import { SealedTrailController } from './sealed-trail.controller.js';
import { TrailUpkeepController } from './trail-upkeep.controller.js';

const logger = new Logger('AuditTrail');

/** Told of what goes wrong while sealing, which happens after everybody has been answered. */
export function reportSealing(error: unknown): void {
  logger.error(error);
}

/** The audit trail over HTTP, and its sealing in the background. */
@Module({
  // In this order: `:id` would take the other's paths for ids.
  controllers: [SealedTrailController, TrailUpkeepController, AuditController],
  providers: [AuditWitnesses, SealScheduler, { provide: TenantRoster, useClass: CentralTenantRoster }],
  exports: [AuditWitnesses, SealScheduler],
})
export class AuditApiModule {}
