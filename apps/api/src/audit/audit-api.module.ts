import { Module } from '@nestjs/common';
import { AuditController } from './audit.controller.js';

/** The audit trail over HTTP. */
@Module({ controllers: [AuditController] })
export class AuditApiModule {}
