import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';
import { type Context, currentContext } from '#libs/context';
import { CurrentEntityManager, findInTransaction } from '#libs/persistence';
import { IsolationStrategies, placementOf } from '#libs/tenancy';

import { ShardReadiness } from './shard-readiness.js';

const UNIT_OF_WORK = Symbol('tenant unit of work');

/** Opens each context's unit of work where its tenant is placed, in the way of the tenant's isolation strategy. */
@Injectable()
export class PlacedEntityManager extends CurrentEntityManager {
  constructor(
    private readonly strategies: IsolationStrategies,
    private readonly readiness: ShardReadiness,
  ) {
    super();
  }

  get(): SqlEntityManager {
    const unitOfWork = currentContext().resource(UNIT_OF_WORK, (context) => this.#open(context));
    return findInTransaction(unitOfWork) ?? unitOfWork;
  }

  #open(context: Context): SqlEntityManager {
    const tenant = context.getTenant();
    const placement = placementOf(tenant);
    if (!placement) {
      throw new TypeError(`The context of tenant "${tenant.slug}" holds no placement: take tenants from TenantStore.`);
    }
    this.readiness.assertReady(placement.shardId);
    const { entityManager, revert } = this.strategies.apply(placement);
    context.onEnd(revert);
    return entityManager;
  }
}
