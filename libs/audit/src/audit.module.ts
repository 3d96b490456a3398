import { Module } from '@nestjs/common';
import { ConfigurableModuleClass } from './audit.module-definition.js';
import { AuditRecorder } from './recorder/audit-recorder.js';
import { AuditTrail } from './trail/audit-trail.js';

/**
 * Keeps every change on record. `forRoot(options)` or `forRootAsync({ useFactory, … })`.
 * Needs a provider of `CurrentEntityManager` in a global module. `AuditRecorder` only records what is reported to it:
 * give it to the `ChangeEventsSubscriber` of each tenant ORM.
 */
@Module({ providers: [AuditRecorder, AuditTrail], exports: [AuditRecorder, AuditTrail] })
export class AuditModule extends ConfigurableModuleClass {}
