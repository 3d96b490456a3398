import { LockMode } from '@mikro-orm/core';
import { Injectable, Logger } from '@nestjs/common';
import { AuditTrail } from '#libs/audit';
import { currentContext, runAs } from '#libs/context';
import { SessionStore } from '#libs/identity';
import { CentralEntityManager, getEngine } from '#libs/persistence';
import { type ShardHealth, ShardRegistry, UnknownShardError } from '#libs/sharding';
import {
  PlacementRecord,
  StrategyUnsupportedError,
  Tenant,
  type TenantRecord,
  type TenantStatus,
  TenantStore,
} from '#libs/tenancy';
import { ConflictError } from '../http/errors/conflict.error.js';
import { InvalidInputError } from '../http/errors/invalid-input.error.js';
import type { PageQuery } from '../http/page.schemas.js';
import { type Page, Pager } from '../http/pager.js';
import { isPlaceAway } from '../storage/is-place-away.js';
import { type SignedUp, SignUpService } from '../tenants/sign-up.service.js';
import type { PlacedTenant } from './placed-tenant.view.js';
import type { PlatformSignUp } from './platform.schemas.js';

/** One shard as operators see it. */
export interface ShardDescription {
  readonly id: string;
  readonly engine: string;
  /** Tenants placed on it. */
  readonly tenants: number;
}

const PING_DEADLINE_MS = 2_000;

const UNRECORDED = "A change of a tenant is not in the tenant's trail: its place is not available.";

/** A tenant after a change, and whether the change stands in the tenant's own trail. */
export interface ChangedTenant {
  readonly tenant: TenantRecord;
  /** `unavailable`: the place of the trail cannot be reached, and the change stands in the log of the application alone. */
  readonly trail: 'recorded' | 'unavailable';
}

/** The work of operators. */
@Injectable()
export class PlatformService {
  readonly #logger = new Logger(PlatformService.name);

  constructor(
    private readonly central: CentralEntityManager,
    private readonly shards: ShardRegistry,
    private readonly signUps: SignUpService,
    private readonly tenants: TenantStore,
    private readonly sessions: SessionStore,
    private readonly trail: AuditTrail,
    private readonly pager: Pager,
  ) {}

  /** Every shard with its tenants, and whether it answers; all are asked at once, under a deadline. */
  async describeShards(): Promise<{ data: ShardDescription[]; shards: ShardHealth[] }> {
    const counted = this.central.get().countBy(PlacementRecord, 'shardId');
    const [counts, shards] = await Promise.all([counted, this.shards.pingAll(PING_DEADLINE_MS)]);
    const data = this.shards.ids.map((id) => ({
      id,
      engine: getEngine(this.shards.definition(id).url).name,
      tenants: (counts as Record<string, number>)[id] ?? 0,
    }));
    return { data, shards };
  }

  /** Like a sign-up, with the strategy and on the shard of the operator's choice. */
  async signUp({ placement, ...signUp }: PlatformSignUp): Promise<SignedUp> {
    try {
      return await this.signUps.signUp(signUp, placement);
    } catch (error) {
      if (error instanceof UnknownShardError) {
        throw new InvalidInputError([{ pointer: '/placement/shard', detail: error.message }]);
      }
      if (error instanceof StrategyUnsupportedError) {
        throw new InvalidInputError([{ pointer: '/placement/strategy', detail: error.message }]);
      }
      throw error;
    }
  }

  /** @throws {TenantNotFoundError} */
  getTenant(slug: string): Promise<TenantRecord> {
    return this.tenants.getBySlug(slug);
  }

  /** Every tenant with the place of its rows, newest first. */
  async listTenants(query: PageQuery): Promise<Page<PlacedTenant>> {
    const keys = [{ path: 'id', direction: 'desc' as const }];
    const { data, nextCursor } = await this.pager.read({ entity: Tenant, where: {}, keys, scope: 'tenants' }, query);
    const found = await this.central.get().find(PlacementRecord, { tenantId: data.map(({ id }) => id) });
    const placements = new Map(found.map((placement) => [placement.tenantId, placement]));
    const placed = data.flatMap(({ id, slug, name, status }) => {
      const placement = placements.get(id);
      return placement ? { id, slug, name, status, placement } : [];
    });
    return { data: placed, nextCursor };
  }

  /**
   * Suspends, archives or activates a tenant, from its next request on; on record in the tenant's own trail. An archived
   * tenant's sessions end; its data stays where it is, its slug stays taken, and activating it brings it back.
   *
   * A tenant whose place is lost can be suspended and archived all the same: to keep people out must not wait for it. The
   * change then stands in the log, and the answer says so. Activating it is refused: it could not be served.
   *
   * @throws {TenantNotFoundError}
   */
  async changeTenant(slug: string, status: TenantStatus): Promise<ChangedTenant> {
    const record = await this.tenants.getBySlug(slug);
    let trail: ChangedTenant['trail'] = 'recorded';
    await this.central.get().transactional(async (transaction) => {
      const tenant = await transaction.findOneOrFail(Tenant, record.id, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (tenant.status === status) return;
      const placement = await transaction.findOneOrFail(PlacementRecord, { tenantId: tenant.id });
      // To suspend whoever is being moved must not wait.
      if (placement.state === 'moving' && (status === 'archived' || tenant.status === 'archived')) {
        throw new ConflictError(`The tenant "${slug}" is being moved or purged. Let that end, or repeat it.`);
      }
      tenant.status = status;
      if (placement.state !== 'moving' && (status === 'archived') !== (placement.state === 'archived')) {
        placement.state = status === 'archived' ? 'archived' : 'active';
        placement.epoch++;
      }
      if (status === 'archived') await this.sessions.endAll(tenant.id, transaction);
      await transaction.flush();
      await this.tenants.announce(transaction, record.id);
      trail = await this.#recordChange(record, status);
    });
    this.tenants.forget(record.id);
    this.sessions.forget({ tenantId: record.id });
    return { tenant: await this.tenants.getBySlug(slug), trail };
  }

  async #recordChange(tenant: TenantRecord, status: TenantStatus): Promise<ChangedTenant['trail']> {
    const { actor = { id: 'platform', type: 'system' as const } } = currentContext();
    const action = status === 'active' ? 'tenant_activated' : `tenant_${status}`;
    try {
      await runAs({ tenant, actor }, () => this.trail.record({ action, details: {} }));
      return 'recorded';
    } catch (error) {
      if (status === 'active' || !isPlaceAway(error)) throw error;
      this.#logger.error({ action, tenantId: tenant.id, slug: tenant.slug, actor, err: error }, UNRECORDED);
      return 'unavailable';
    }
  }
}
