import { Injectable } from '@nestjs/common';
import { currentContext, runAs } from '#libs/context';
import type { RowSource, SourcesBeside } from '#libs/sharding';
import { IsolationStrategies } from '#libs/tenancy';
import { isPlaceAway } from './is-place-away.js';
import { type OwnPlace, TenantPlaces } from './tenant-places.js';

/** Of one shard's, so that a search leaves most of its connections to the tenants themselves. */
const AT_ONCE = 4;

/** For who is nobody, in scripts; work across tenants wants to know it all the same. */
const SYSTEM = { id: 'platform', type: 'system' as const };

/**
 * The rows of tenants that have a schema or database of their own, for work across tenants: the shards' own tables hold
 * those of all others. This is where `findRows` and isolation strategies meet.
 *
 * @example
 * const beside = await places.find();
 * const found = await acrossTenants.run(reason, () => findRows(shards, Order, query, limits, beside));
 */
@Injectable()
export class OwnPlaceRows {
  constructor(
    private readonly places: TenantPlaces,
    private readonly strategies: IsolationStrategies,
  ) {}

  /** The places of tenants, of all by default; each is called by its tenant's slug. */
  async find(tenantIds?: ReadonlySet<string>): Promise<SourcesBeside> {
    const all = await this.places.list();
    const places = tenantIds ? all.filter(({ placement }) => tenantIds.has(placement.tenantId)) : all;
    return { sources: places.map((place) => this.#toSource(place)), atOnce: AT_ONCE, isAway: isPlaceAway };
  }

  #toSource({ slug, placement }: OwnPlace): RowSource {
    const { actor = SYSTEM } = currentContext();
    const tenant = { id: placement.tenantId, slug, placement };
    return {
      id: slug,
      shardId: placement.shardId,
      read: (ask) =>
        runAs({ tenant, actor }, async () => {
          const { entityManager, revert } = this.strategies.apply(placement);
          try {
            return await ask(entityManager);
          } finally {
            revert();
          }
        }),
    };
  }
}
