import { Injectable } from '@nestjs/common';
import { AuditTrail } from '#libs/audit';
import { currentContext, runAs } from '#libs/context';
import { SessionStore } from '#libs/identity';
import { CentralEntityManager, getEngine } from '#libs/persistence';
import { type ShardHealth, ShardRegistry, UnknownShardError } from '#libs/sharding';
import { PlacementRecord, Tenant, type TenantRecord, TenantStore } from '#libs/tenancy';
import { InvalidInputError } from '../http/errors/invalid-input.error.js';
import { type SignedUp, SignUpService } from '../tenants/sign-up.service.js';
import type { PlatformSignUp, TenantChange } from './platform.schemas.js';

/** One shard as operators see it. */
export interface ShardDescription {
  readonly id: string;
  readonly engine: string;
  /** Tenants placed on it. */
  readonly tenants: number;
}

const PING_DEADLINE_MS = 2_000;

/** The work of operators. */
@Injectable()
export class PlatformService {
  constructor(
    private readonly central: CentralEntityManager,
    private readonly shards: ShardRegistry,
    private readonly signUps: SignUpService,
    private readonly tenants: TenantStore,
    private readonly sessions: SessionStore,
    private readonly trail: AuditTrail,
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

  /** Like a sign-up, on a shard of the operator's choice. */
  async signUp({ placement, ...signUp }: PlatformSignUp): Promise<SignedUp> {
    try {
      return await this.signUps.signUp(signUp, placement?.shard);
    } catch (error) {
      if (!(error instanceof UnknownShardError)) throw error;
      throw new InvalidInputError([{ pointer: '/placement/shard', detail: error.message }]);
    }
  }

  /** @throws {TenantNotFoundError} */
  getTenant(slug: string): Promise<TenantRecord> {
    return this.tenants.getBySlug(slug);
  }

  /** Suspends or activates a tenant, from its next request on; on record in the tenant's own trail. */
  async changeTenant(slug: string, { status }: TenantChange): Promise<TenantRecord> {
    const record = await this.tenants.getBySlug(slug);
    const em = this.central.get();
    const tenant = await em.findOneOrFail(Tenant, record.id);
    tenant.status = status;
    await em.transactional(async (transaction) => {
      await transaction.flush();
      const { actor = { id: 'platform', type: 'system' as const } } = currentContext();
      await runAs({ tenant: record, actor }, () =>
        this.trail.record({ action: `tenant_${status === 'active' ? 'activated' : 'suspended'}`, details: {} }),
      );
    });
    this.tenants.forget(tenant.id);
    this.sessions.forget({ tenantId: tenant.id });
    return this.tenants.getBySlug(slug);
  }
}
