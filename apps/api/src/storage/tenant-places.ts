import { Injectable } from '@nestjs/common';
import { type Placement, PlacementRecord, Tenant } from '#libs/tenancy';
import { CentralDatabase } from './central-database.js';

/** A tenant whose rows lie in a schema or database of its own. */
export interface OwnPlace {
  readonly slug: string;
  readonly placement: Placement;
}

/** Which tenants have a place of their own, from the central database. Archived ones too: they may come back. */
@Injectable()
export class TenantPlaces {
  constructor(private readonly central: CentralDatabase) {}

  /** In the order of their ids, that is of their sign-up. */
  async list(): Promise<OwnPlace[]> {
    const em = this.central.orm.em.fork();
    const placements = await em.find(PlacementRecord, { strategy: { $ne: 'row' } }, { orderBy: { tenantId: 'asc' } });
    const tenants = await em.find(Tenant, { id: placements.map(({ tenantId }) => tenantId) }, { fields: ['slug'] });
    const slugs = new Map(tenants.map(({ id, slug }) => [id, slug]));
    return placements.map((placement) => ({ slug: slugs.get(placement.tenantId) ?? placement.tenantId, placement }));
  }
}
