import { afterAll, beforeAll } from '@jest/globals';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { type ContextTenant, currentContext, runAs } from '#libs/context';
import { runInSystemFrame } from '#libs/persistence';
import {
  IsolationStrategies,
  type IsolationStrategyName,
  type Placement,
  type TenantDatabaseLimits,
} from '#libs/tenancy';
import { aTenant } from '../databases/a-tenant.js';
import { createTestDatabase } from '../databases/test-database.js';
import type { TestEngine } from '../engines/each-engine.js';
import { TestTenantDatabases, type TestTenantDatabasesOptions } from './test-tenant-databases.js';

/** A tenant whose rows have a place. */
export interface PlacedTestTenant extends ContextTenant {
  readonly placement: Placement;
}

/** A shard of a suite's own on which tenants of all strategies live side by side. */
export interface StrategyWorld {
  readonly strategies: IsolationStrategies;
  readonly databases: TestTenantDatabases;
  /** A new tenant of a strategy, with its place; dropped after the suite. */
  aTenant(strategy: IsolationStrategyName, slug?: string): Promise<PlacedTestTenant>;
  /** Runs `fn` as a tenant, with one unit of work at its place. */
  as<T>(tenant: PlacedTestTenant, fn: (em: SqlEntityManager) => T | Promise<T>): Promise<T>;
  /** The statements sent to any place but shared tables while `fn` runs; begin, commit and savepoints left out. */
  statementsOf(fn: () => Promise<unknown>): Promise<string[]>;
}

/**
 * Gives the current `describe` block a shard on `engine`: made before its first case, dropped with all tenants' places after
 * its last.
 */
export function aStrategyWorld(
  engine: TestEngine,
  entities: TestTenantDatabasesOptions['entities'],
  options: Omit<TestTenantDatabasesOptions, 'entities'> & { readonly limits?: TenantDatabaseLimits } = {},
): StrategyWorld {
  const placements: Placement[] = [];
  let world: { databases: TestTenantDatabases; strategies: IsolationStrategies; drop(): Promise<void> } | undefined;
  const getWorld = () => {
    if (!world) throw new Error('The world is not there yet: use it in cases and hooks, not while they are declared.');
    return world;
  };

  beforeAll(async () => {
    const { url, drop } = await createTestDatabase(engine);
    const databases = new TestTenantDatabases(url, { entities, ...options });
    world = { databases, strategies: new IsolationStrategies(databases, options.limits), drop };
    await runInSystemFrame('create a shard', () => databases.shared('shard-1').schema.create());
  }, 30_000);

  afterAll(async () => {
    const { databases, strategies, drop } = getWorld();
    for (const placement of placements) await strategies.get(placement.strategy, 'shard-1').drop(placement);
    await databases.shards.close();
    await drop();
  }, 30_000);

  return {
    get strategies() {
      return getWorld().strategies;
    },
    get databases() {
      return getWorld().databases;
    },
    async aTenant(name, slug) {
      const { strategies } = getWorld();
      const tenant = aTenant(slug);
      const strategy = strategies.get(name, 'shard-1');
      const placement: Placement = {
        tenantId: tenant.id,
        strategy: name,
        shardId: 'shard-1',
        ...strategy.nameFor(tenant.id),
        epoch: 1,
        state: 'active',
      };
      placements.push(placement);
      await strategy.provision(placement);
      return { ...tenant, placement };
    },
    as: (tenant, fn) =>
      runAs({ tenant, actor: { id: 'spec', type: 'system' } }, () => {
        const { entityManager, revert } = getWorld().strategies.apply(tenant.placement);
        currentContext().onEnd(revert);
        return fn(entityManager);
      }),
    statementsOf: (fn) => getWorld().databases.statements.record(fn),
  };
}
