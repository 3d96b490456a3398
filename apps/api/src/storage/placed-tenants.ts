import { Injectable } from '@nestjs/common';
import { CentralEntityManager } from '#libs/persistence';
import { type Occupant, type ShardId, SlotOccupants } from '#libs/sharding';
import { PlacementRecord, Tenant } from '#libs/tenancy';

/** Ids in one statement. */
const AT_ONCE = 1_000;

/** Tells slots of the tenants in them. This is where tenancy and placement meet. */
@Injectable()
export class PlacedTenants extends SlotOccupants {
  constructor(private readonly central: CentralEntityManager) {
    super();
  }

  async listOn(shardId: ShardId): Promise<Occupant[]> {
    const em = this.central.get().fork();
    const placements = await em.find(PlacementRecord, { shardId }, { fields: ['tenantId'] });
    const tenants: Pick<Tenant, 'id' | 'slug'>[] = [];
    for (let from = 0; from < placements.length; from += AT_ONCE) {
      const ids = placements.slice(from, from + AT_ONCE).map(({ tenantId }) => tenantId);
      tenants.push(...(await em.find(Tenant, { id: { $in: ids } }, { fields: ['slug'] })));
    }
    return tenants.map(({ id, slug }) => ({ key: id, name: slug }));
  }
}
