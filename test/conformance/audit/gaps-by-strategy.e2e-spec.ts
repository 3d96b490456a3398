import { describe, expect, it } from '@jest/globals';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { AuditEntry, AuditRecorder } from '#libs/audit';
import { ChangeEventsSubscriber, runInSystemFrame } from '#libs/persistence';
import { aStrategyWorld, eachStrategy, Tag } from '#libs/testing';
import { auditModel } from './audit.model.js';

const onError = (error: unknown) => {
  throw error;
};

/** Some strategies let tenants share a driver, others close it in between: a hole is a tenant's, wherever its rows lie. */
describe('a hole of a trail that is not on record yet', () => {
  eachStrategy((strategy, engine) => {
    const recorder = new AuditRecorder({ onFailure: 'log' });
    const overrides = { subscribers: [new ChangeEventsSubscriber({ subscribers: [recorder], onError })] };
    const world = aStrategyWorld(engine, auditModel, { overrides, limits: { maxOpen: 1 } });

    const rename = (em: SqlEntityManager, isBack: boolean) => {
      const inPlace = (name: string) => (em.schema ? `${em.schema}.${name}` : name);
      const [from, to] = isBack ? ['audit_entry_gone', 'audit_entry'] : ['audit_entry', 'audit_entry_gone'];
      // Where schemas are databases, a bare name would move the table into that of the connection.
      const target = engine.name === 'postgresql' ? to : inPlace(to);
      return runInSystemFrame('spec', () => em.execute(`alter table ${inPlace(from)} rename to ${target}`));
    };
    const add = (name: string) => async (em: SqlEntityManager) => {
      em.create(Tag, { name });
      await em.flush();
    };
    const actions = async (em: SqlEntityManager) =>
      (await em.find(AuditEntry, {}, { orderBy: { id: 'asc' } })).map(({ action }) => action);

    it('is put on record by the next change of its own tenant, and of no other', async () => {
      const tenants = [await world.aTenant(strategy, 'one'), await world.aTenant(strategy, 'two')];
      for (const tenant of tenants) {
        await world.as(tenant, (em) => rename(em, false));
        await world.as(tenant, add('unrecorded'));
        await world.as(tenant, (em) => rename(em, true));
      }
      const [one, two] = tenants as [(typeof tenants)[0], (typeof tenants)[0]];
      await world.as(two, add('recorded'));
      expect(await world.as(two, actions)).toEqual(['audit_gap', 'create']);
      expect(await world.as(one, actions)).toEqual([]);
      await world.as(one, add('recorded'));
      expect(await world.as(one, actions)).toEqual(['audit_gap', 'create']);
      await world.as(two, add('more'));
      expect(await world.as(two, actions)).toEqual(['audit_gap', 'create', 'create']);
    });
  });
});
