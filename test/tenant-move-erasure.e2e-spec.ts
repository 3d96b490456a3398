import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuditSubjectKey } from '#libs/audit';
import { runAs } from '#libs/context';
import { CurrentEntityManager } from '#libs/persistence';
import { type IsolationStrategyName, type TenantRecord } from '#libs/tenancy';
import { createTestDatabase, eachEngine, strategiesOf, type TestDatabase } from '#libs/testing';
import { anInstallation, MovingTenant } from './support/moving-tenant.js';
import type { TestApp } from './support/test-app.js';

describe('an erasure for a tenant that was moved', () => {
  eachEngine((engine) => {
    const databases: TestDatabase[] = [];
    let installation: Awaited<ReturnType<typeof anInstallation>>;
    let test: TestApp;
    const own = strategiesOf(engine).at(-1) as IsolationStrategyName;

    beforeAll(async () => {
      for (let n = 0; n < 2; n++) databases.push(await createTestDatabase(engine));
      const [central, shard] = databases.map(({ url }) => url) as [string, string];
      installation = await anInstallation({ one: shard }, central, { CACHE_CHECK_MS: '0' });
      test = installation.apps[0] as TestApp;
    });
    afterAll(async () => {
      await installation.close();
      for (const database of databases) await database.drop();
    });

    const keysAt = (tenant: TenantRecord, subject: string) =>
      runAs({ tenant, actor: { id: 'spec', type: 'system' } }, () =>
        test.app.get(CurrentEntityManager).get().fork().count(AuditSubjectKey, { subject }),
      );

    it('is refused while the old place keeps its rows, and reaches everything afterwards', async () => {
      const guest = await MovingTenant.signUp(test, 'guest', { strategy: 'row' });
      const subjectId = (await guest.client.call('/v1/auth/me')).body.user.id as string;
      const before = await guest.record();
      const erase = () => guest.client.call('/v1/audit/erasures', { body: { subjectId } });
      await guest.move({ strategy: own }, { settleMs: 0, keepOld: true });
      expect(await keysAt(before, subjectId)).toBeGreaterThan(0);
      expect(await erase()).toMatchObject({ status: 409, body: { detail: expect.stringContaining('old place') } });
      expect(await keysAt(await guest.record(), subjectId)).toBeGreaterThan(0);
      await guest.move({ strategy: own });
      expect((await erase()).body.keys).toBeGreaterThan(0);
      expect(await keysAt(before, subjectId)).toBe(0);
      // Whoever erases is on record with that, under a key of its own.
      expect(await keysAt(await guest.record(), subjectId)).toBe(1);
      await guest.purge();
    });
  });
});
