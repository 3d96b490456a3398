import { afterAll, describe, expect, it } from '@jest/globals';
import { Global, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { CurrentEntityManager } from '#libs/persistence';
import { AuditModule } from './audit.module.js';
import { AuditRecorder } from './recorder/audit-recorder.js';
import { AuditTrail } from './trail/audit-trail.js';

@Global()
@Module({ providers: [{ provide: CurrentEntityManager, useValue: {} }], exports: [CurrentEntityManager] })
class StorageModule {}

describe('AuditModule', () => {
  const modules = [AuditModule.forRoot({ maxPageSize: 10 }), AuditModule.forRootAsync({ useFactory: () => ({}) })];
  const closings: (() => Promise<void>)[] = [];
  afterAll(() => Promise.all(closings.map((close) => close())));

  it.each(modules)('provides the recorder and the trail to every module', async (audit) => {
    const app = await Test.createTestingModule({ imports: [StorageModule, audit] }).compile();
    closings.push(() => app.close());
    expect(app.get(AuditTrail, { strict: false })).toBeInstanceOf(AuditTrail);
    expect(app.get(AuditRecorder, { strict: false })).toBeInstanceOf(AuditRecorder);
  });
});
