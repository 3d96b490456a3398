import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OrphansService, TenantMoveService } from '#apps/api';
import { AuditTrail } from '#libs/audit';
import { runAs, runInContext } from '#libs/context';
import { newId } from '#libs/persistence';
import { IsolationStrategies, type IsolationStrategyName, type Placement, TenantStore } from '#libs/tenancy';
import { createTestDatabase, eachEngine, strategiesOf, type TestDatabase } from '#libs/testing';
import { MovingTenant } from './support/moving-tenant.js';
import { startTestApp, type TestApp } from './support/test-app.js';

const actor = { id: 'spec', type: 'system' } as const;

describe('what belongs to no tenant', () => {
  eachEngine((engine) => {
    let database: TestDatabase;
    let second: TestDatabase;
    let test: TestApp;
    const own = strategiesOf(engine).filter((strategy) => strategy === 'schema' || strategy === 'database');

    beforeAll(async () => {
      database = await createTestDatabase(engine);
      second = await createTestDatabase(engine);
      test = await startTestApp({ SHARDS: `one=${database.url},two=${second.url}`, CACHE_CHECK_MS: '0' });
    });
    afterAll(async () => {
      await test.close();
      await database.drop();
      await second.drop();
    });

    /** Another suite may be at work on the same server. */
    const found = async (names: readonly string[], shards: readonly string[]) => {
      const orphans = await runInContext({ actor }, () => test.app.get(OrphansService).list());
      return orphans
        .filter(({ name, shard }) => shards.includes(shard) && names.includes(name))
        .map(({ kind }) => kind);
    };
    const namesOf = (...names: string[]) => found(names, ['one', 'two']);
    /** Shards of one server see the same databases. */
    const namesOnOne = (...names: string[]) => found(names, ['one']);
    const remove = (name: string, shard = 'one') =>
      runInContext({ actor }, () => test.app.get(OrphansService).remove(name, shard));
    const strategyOf = (name: IsolationStrategyName) => test.app.get(IsolationStrategies).get(name, 'one');
    /** An id as it was given out long ago, that no other run has. */
    const oldId = () => `018d0000-${newId().slice(9)}`;
    const placementOf = (tenantId: string, strategy: IsolationStrategyName): Placement => {
      return {
        tenantId,
        strategy,
        shardId: 'one',
        ...strategyOf(strategy).nameFor(tenantId),
        epoch: 1,
        state: 'active',
      };
    };

    it.each(own)('is a %s of a sign-up that died: listed, and removed once it is old enough', async (strategy) => {
      const [old, young] = [placementOf(oldId(), strategy), placementOf(newId(), strategy)];
      for (const placement of [old, young]) await strategyOf(strategy).provision(placement);
      const nameOf = ({ schemaName, databaseName }: Placement) => String(schemaName ?? databaseName);
      expect(await namesOnOne(nameOf(old), nameOf(young))).toEqual(['place', 'place']);
      await expect(remove(nameOf(young))).rejects.toMatchObject({ code: 'orphan_kept' });
      await remove(nameOf(old));
      expect(await namesOnOne(nameOf(old), nameOf(young))).toEqual(['place']);
      await strategyOf(strategy).drop(young);
    });

    it('is rows in shared tables of a tenant that never came', async () => {
      const placement = placementOf(oldId(), 'row');
      const tenant = { id: placement.tenantId, slug: 'never', placement };
      await runAs({ tenant, actor }, () => test.app.get(AuditTrail).record({ action: 'tenant_created' }));
      expect(await namesOf(placement.tenantId)).toEqual(['rows']);
      await remove(placement.tenantId);
      expect(await namesOf(placement.tenantId)).toEqual([]);
    });

    it('is never a tenant’s own, and says whose place is missing', async () => {
      const strategy = own.at(-1) as IsolationStrategyName;
      const tenant = await MovingTenant.signUp(test, 'owner', { strategy, shard: 'one' });
      const { placement } = await runInContext({}, () => test.app.get(TenantStore).getBySlug('owner'));
      const name = String(placement.schemaName ?? placement.databaseName);
      expect(await namesOf(name, 'owner', placement.tenantId)).toEqual([]);
      await expect(remove(name)).rejects.toMatchObject({ code: 'orphan_kept' });
      await strategyOf(strategy).drop(placement);
      expect(await namesOf('owner')).toEqual(['missing place']);
      await expect(remove('owner')).rejects.toMatchObject({ code: 'orphan_kept' });
      await strategyOf(strategy).provision(placement);
      await tenant.purge();
    });

    it('is never a tenant’s own on another shard of the same server', async () => {
      const strategy = own.at(-1) as IsolationStrategyName;
      const tenant = await MovingTenant.signUp(test, 'neighbour', { strategy, shard: 'one' });
      const { placement } = await runInContext({}, () => test.app.get(TenantStore).getBySlug('neighbour'));
      const name = String(placement.schemaName ?? placement.databaseName);
      expect(await namesOf(name)).toEqual([]);
      await expect(remove(name, 'two')).rejects.toMatchObject({ code: 'orphan_kept' });
      await tenant.expectWhole();
      await tenant.purge();
    });

    it('is what a move has left: the rows that it was told to keep, and the fence', async () => {
      const tenant = await MovingTenant.signUp(test, 'moved', { strategy: 'row', shard: 'one' });
      const move = (strategy: IsolationStrategyName, keepOld: boolean) =>
        runInContext({ actor }, () =>
          test.app.get(TenantMoveService).move('moved', { strategy }, { settleMs: 0, keepOld }),
        );
      await move(own.at(-1) as IsolationStrategyName, true);
      expect(await namesOf('moved')).toEqual(['old place']);
      await move(own.at(-1) as IsolationStrategyName, false);
      expect(await namesOf('moved')).toEqual(['fence']);
      await remove('moved');
      expect(await namesOf('moved')).toEqual([]);
      expect(await tenant.write()).toBe(201);
      await tenant.expectWhole();
      await tenant.purge();
    });

    it('is removed alone: what other moves have left stays', async () => {
      const tenant = await MovingTenant.signUp(test, 'restless', { strategy: 'row', shard: 'one' });
      const strategy = own.at(-1) as IsolationStrategyName;
      const keep = { settleMs: 0, keepOld: true };
      await tenant.move({ strategy }, keep);
      const { placement } = await tenant.record();
      await tenant.move({ strategy, shard: 'two' }, keep);
      const name = String(placement.schemaName ?? placement.databaseName);
      expect(await namesOf('restless', name)).toEqual(['old place', 'old place']);
      await remove(name);
      expect(await namesOf('restless', name)).toEqual(['old place']);
      await remove('restless');
      expect(await namesOf('restless', name)).toEqual([]);
      await tenant.expectWhole();
      await tenant.purge();
    });
  });
});
