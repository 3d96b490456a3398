import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';
import { type ContextTenant, currentContext } from '#libs/context';
import { CurrentEntityManager, findInTransaction } from '#libs/persistence';
import { ShardRegistry } from '#libs/sharding';
import type { TenantRecord } from '#libs/tenancy';

const UNIT_OF_WORK = Symbol('tenant unit of work');

function isPlaced(tenant: ContextTenant): tenant is TenantRecord {
  return 'placement' in tenant;
}

/** Opens each context's unit of work where its tenant is placed. This is where tenancy and sharding meet. */
@Injectable()
export class PlacedEntityManager extends CurrentEntityManager {
  constructor(private readonly shards: ShardRegistry) {
    super();
  }

  get(): SqlEntityManager {
    const unitOfWork = currentContext().resource(UNIT_OF_WORK, (context) => this.#open(context.getTenant()));
    return findInTransaction(unitOfWork) ?? unitOfWork;
  }

  #open(tenant: ContextTenant): SqlEntityManager {
    if (!isPlaced(tenant)) {
      throw new TypeError(`The context of tenant "${tenant.slug}" holds no placement: take tenants from TenantStore.`);
    }
    return this.shards.entityManager(tenant.placement.shardId);
  }
}
