import { Module } from '@nestjs/common';
import { ConfigurableModuleClass } from './audit.module-definition.js';
import { AUDIT_MODULE_OPTIONS } from './audit.options.js';
import { AuditErasure } from './erasure/audit-erasure.js';
import { PersonalKeys } from './erasure/personal-keys.js';
import { AuditExporter } from './export/audit-exporter.js';
import { AuditPause } from './recorder/audit-pause.js';
import { AuditRecorder } from './recorder/audit-recorder.js';
import { AuditRetention } from './retention/audit-retention.js';
import { AuditProofs } from './sealing/audit-proofs.js';
import { AuditSealer } from './sealing/audit-sealer.js';
import { AuditVerifier } from './sealing/audit-verifier.js';
import { AuditTrail } from './trail/audit-trail.js';
import { AuditReconciler } from './witness/audit-reconciler.js';

const services = [
  AuditPause,
  AuditReconciler,
  AuditRecorder,
  AuditTrail,
  AuditSealer,
  AuditVerifier,
  AuditProofs,
  AuditRetention,
  AuditErasure,
  AuditExporter,
  PersonalKeys,
];

/**
 * Keeps every change on record, and seals the record. `forRoot(options)` or `forRootAsync({ useFactory, … })`.
 * Needs a provider of `CurrentEntityManager` in a global module. `AuditRecorder` only records what is reported to it:
 * give it to the `ChangeEventsSubscriber` of each tenant ORM. `SealScheduler` is for the app to provide: it needs to know
 * all tenants.
 */
@Module({ providers: services, exports: [...services, AUDIT_MODULE_OPTIONS] })
export class AuditModule extends ConfigurableModuleClass {}
