import { LockMode } from '@mikro-orm/core';
import { Injectable } from '@nestjs/common';
import { SessionStore } from '#libs/identity';
import { CentralEntityManager } from '#libs/persistence';
import {
  IsolationStrategies,
  PlacementRecord,
  SlugLook,
  Tenant,
  TenantNotArchivedError,
  TenantStore,
} from '#libs/tenancy';
import { TenantMoveService } from './tenant-move.service.js';

/**
 * Removes an archived tenant for good: its rows, wherever they lie, and all that the central database holds of it. People's
 * accounts stay, as they may be members elsewhere. Its slug is free again.
 */
@Injectable()
export class TenantPurgeService {
  constructor(
    private readonly central: CentralEntityManager,
    private readonly tenants: TenantStore,
    private readonly strategies: IsolationStrategies,
    private readonly sessions: SessionStore,
    private readonly moves: TenantMoveService,
  ) {}

  /**
   * May be repeated after a failure: the central database is the last to forget. From the moment it begins, the tenant
   * cannot be activated again.
   * @throws {TenantNotFoundError} @throws {TenantNotArchivedError}
   */
  async purge(slug: string): Promise<void> {
    const tenant = await this.tenants.getBySlug(slug);
    const { id, placement } = tenant;
    await this.moves.assertNone(tenant);
    await this.#close(id, slug);
    await this.moves.clearOld({ id, slug });
    await this.strategies.get(placement.strategy, placement.shardId).drop(placement);
    await this.central.get().transactional(async (em) => {
      for (const meta of em.getMetadata().getAll().values()) {
        if (meta.class && 'tenantId' in meta.properties) await em.nativeDelete(meta.class, { tenantId: id });
      }
      await em.nativeDelete(SlugLook, { slug });
      await em.nativeDelete(Tenant, { id });
      await this.tenants.announce(em, id);
    });
    this.tenants.forget(id);
    this.sessions.forget({ tenantId: id });
  }

  /** What is kept of the tenant may be old: whether it is archived is read under a lock, which an activation waits for. */
  async #close(id: string, slug: string): Promise<void> {
    await this.central.get().transactional(async (em) => {
      const tenant = await em.findOne(Tenant, id, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true });
      if (tenant?.status !== 'archived') throw new TenantNotArchivedError(slug);
      const placement = await em.findOneOrFail(PlacementRecord, { tenantId: id });
      placement.state = 'moving';
      await em.flush();
    });
  }
}
