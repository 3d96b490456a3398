import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { currentContext, runAs } from '#libs/context';
import {
  ChangeEventsSubscriber,
  type ChangeSubscriber,
  CurrentEntityManager,
  engines,
  findInTransaction,
} from '#libs/persistence';
import { GuardedEntityManager, guardedDriver } from '#libs/tenancy';
import { aDatabase, aTenant, type SuiteDatabase, shopModel, type TestEngine } from '#libs/testing';

/** What a service of the application has: a database behind the guard, and work that runs for a tenant. */
export interface CookbookShop {
  readonly database: SuiteDatabase;
  /** As a service injects it: one unit of work per context. */
  readonly entityManager: CurrentEntityManager;
  /** Runs `recipe` for a new tenant, as a request would. */
  forTenant<T>(recipe: (em: SqlEntityManager) => Promise<T>): Promise<T>;
}

const UNIT_OF_WORK = Symbol('unit of work of the cookbook');

/** What a recipe adds to the shop. */
interface Additions {
  readonly entities?: readonly EntityClass[];
  readonly entityManager?: typeof GuardedEntityManager;
}

/** A shop on `engine` as the application opens it: both layers of the guard, and changes that are told of. */
export function aCookbookShop(
  engine: TestEngine,
  subscribers: readonly ChangeSubscriber[] = [],
  { entities = [], entityManager: ownEntityManager = GuardedEntityManager }: Additions = {},
): CookbookShop {
  const database = aDatabase(engine, [...shopModel, ...entities], {
    driver: guardedDriver(engines[engine.name]),
    entityManager: ownEntityManager,
    subscribers: [
      new ChangeEventsSubscriber({
        subscribers: [...subscribers],
        onError: (error) => {
          throw error;
        },
      }),
    ],
  });
  class UnitOfWork extends CurrentEntityManager {
    get(): SqlEntityManager {
      const unitOfWork = currentContext().resource(UNIT_OF_WORK, () => database.fork());
      return findInTransaction(unitOfWork) ?? unitOfWork;
    }
  }
  const entityManager = new UnitOfWork();
  return {
    database,
    entityManager,
    forTenant: (recipe) =>
      runAs({ tenant: aTenant(), actor: { id: 'cook', type: 'user' } }, () => recipe(entityManager.get())),
  };
}
