import { afterAll } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import { type ContextTenant, currentContext } from '#libs/context';
import type { OrmOverrides } from '#libs/persistence';
import type { IsolationStrategyName, Placement } from '#libs/tenancy';
import { aStrategyWorld, aTenant, type PlacedTestTenant, type TestEngine } from '#libs/testing';
import { auditModel } from './audit.model.js';
import type { AuditDatabase } from './audit-world.js';

/** A place that one tenant after the other has: to make one for each case would take longer than the cases. */
interface SharedPlace {
  readonly placement: Placement;
  readonly orm: MikroORM<AbstractSqlDriver>;
}

const placementOf = (tenant: ContextTenant) => (tenant as PlacedTestTenant).placement;

/** Declares a shard of a suite whose tenants are kept apart by a strategy other than `row`. */
export function aPlacedDatabase(
  engine: TestEngine,
  strategy: IsolationStrategyName,
  overrides: OrmOverrides,
): AuditDatabase {
  // Some cases have a transaction wait for another one.
  const world = aStrategyWorld(engine, auditModel, { overrides, pool: { max: 4 } });
  const places = new Map<string, SharedPlace>();

  afterAll(async () => {
    for (const { orm } of places.values()) await world.databases.close(orm);
  });

  async function placeOf(name: string): Promise<SharedPlace> {
    const known = places.get(name);
    if (known) return known;
    const { placement } = await world.aTenant(strategy, name);
    const { databaseName, schemaName: insideSchema } = placement;
    const inside = databaseName === undefined ? { insideSchema } : { databaseName };
    const orm = world.databases.open('shard-1', { name: `administer ${name}`, ...inside });
    const place = { placement, orm };
    places.set(name, place);
    return place;
  }

  /** A tenant that no other case knows, at a place that others have had. */
  async function aTenantAt(name: string, slug: string): Promise<PlacedTestTenant> {
    const tenant = aTenant(slug);
    const placement = { ...(await placeOf(name)).placement, tenantId: tenant.id };
    // A database is open for one tenant alone, and is opened again for the next.
    if (strategy === 'database') await world.strategies.get(strategy, 'shard-1').provision(placement);
    return { ...tenant, placement };
  }

  const ormOf = (tenant: ContextTenant) => {
    const { schemaName, databaseName } = placementOf(tenant);
    const at = [...places.values()].find(
      ({ placement }) => placement.schemaName === schemaName && placement.databaseName === databaseName,
    );
    return at?.orm as MikroORM<AbstractSqlDriver>;
  };

  return {
    get orm() {
      return ormOf(currentContext().getTenant());
    },
    get url(): string {
      throw new Error('The place of one tenant has no URL that stands for all tenants.');
    },
    fork() {
      const { entityManager, revert } = world.strategies.apply(placementOf(currentContext().getTenant()));
      currentContext().onEnd(revert);
      return entityManager;
    },
    statementsOf: (fn) => world.statementsOf(fn),
    ormOf,
    own: () => aTenantAt('own', 'acme'),
    another: (slug) => aTenantAt('other', slug),
  };
}
