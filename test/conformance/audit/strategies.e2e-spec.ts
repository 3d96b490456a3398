import { describe, expect, it } from '@jest/globals';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { AuditRecorder, AuditTrail } from '#libs/audit';
import { currentContext } from '#libs/context';
import { ChangeEventsSubscriber, CurrentEntityManager } from '#libs/persistence';
import { aStrategyWorld, eachStrategy, type PlacedTestTenant, type StrategyWorld } from '#libs/testing';
import { auditModel } from './audit.model.js';
import { type FoldedWorld, rowsOf, statesOf } from './folded-trail.js';
import { Dice, RandomWork } from './random-work.js';

const UNITS_OF_WORK = 12;
const UNIT_OF_WORK = Symbol('unit of work');

class ContextEntityManager extends CurrentEntityManager {
  get(): SqlEntityManager {
    return currentContext().findResource<SqlEntityManager>(UNIT_OF_WORK) as SqlEntityManager;
  }
}

/** One tenant of a strategy, as the random work and the fold want it. */
function worldOf(world: StrategyWorld, tenant: PlacedTestTenant): FoldedWorld {
  const trail = new AuditTrail(new ContextEntityManager(), {});
  const as: FoldedWorld['as'] = (fn) =>
    world.as(tenant, (em) => {
      currentContext().resource(UNIT_OF_WORK, () => em);
      return fn(em);
    });
  const entries = () =>
    as(async () => {
      const found: { entityId?: string | null }[] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await trail.list({ limit: 100, ...(cursor !== undefined && { cursor }) });
        found.push(...page.entries);
        if (page.nextCursor === null) return found;
        cursor = page.nextCursor;
      }
    });
  return { trail, as, entries };
}

describe('the trail of a tenant, wherever its rows are', () => {
  eachStrategy((strategy, engine) => {
    const changes = new ChangeEventsSubscriber({
      subscribers: [new AuditRecorder()],
      onError: (error) => {
        throw error;
      },
    });
    const world = aStrategyWorld(engine, auditModel, { overrides: { subscribers: [changes] } });

    it('lies beside them, tells everything that was done to them, and nothing of another tenant', async () => {
      const [acme, globex] = [await world.aTenant(strategy, 'acme'), await world.aTenant(strategy, 'globex')];
      const [own, other] = [worldOf(world, acme), worldOf(world, globex)];
      for (const [index, each] of [own, other].entries()) {
        const work = new RandomWork({ as: (fn) => each.as(fn) }, new Dice(7 + index));
        for (let unit = 0; unit < UNITS_OF_WORK; unit++) await work.run();
      }
      for (const each of [own, other]) {
        const rows = await rowsOf(each);
        expect(Object.keys(rows).length).toBeGreaterThan(3);
        expect(await statesOf(each)).toEqual(rows);
      }
      const ids = new Set((await own.entries()).map(({ entityId }) => entityId));
      expect((await other.entries()).filter(({ entityId }) => ids.has(entityId))).toEqual([]);
    });
  });
});
