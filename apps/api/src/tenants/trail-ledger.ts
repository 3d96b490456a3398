import { Injectable, Logger } from '@nestjs/common';
import { AuditTrail } from '#libs/audit';
import { runAs } from '#libs/context';
import { CrossTenantLedger, type CrossTenantUse, TenantStore } from '#libs/tenancy';

/**
 * Tells tenants of work across tenants, in their audit trails: this is where tenancy and audit meet. Each use is in the log too, since
 * one that has found nothing concerns no tenant.
 */
@Injectable()
export class TrailLedger extends CrossTenantLedger {
  readonly #logger = new Logger(TrailLedger.name);

  constructor(
    private readonly trail: AuditTrail,
    private readonly tenants: TenantStore,
  ) {
    super();
  }

  /** One after another: each is a transaction of its own, and a search must not take a whole pool. */
  async record({ reason, actor, rows }: CrossTenantUse): Promise<void> {
    const total = [...rows.values()].reduce((sum, count) => sum + count, 0);
    this.#logger.log(
      `Work across tenants by ${actor.type} ${actor.id} read ${total} rows of ${rows.size} tenants: ${reason}`,
    );
    for (const [tenantId, count] of rows) {
      const tenant = await this.tenants.findById(tenantId);
      // Rows that have outlived their tenant: nobody is left to tell.
      if (!tenant) continue;
      await runAs({ tenant, actor }, () =>
        this.trail.record({ action: 'read_across_tenants', details: { rows: count }, reason }),
      );
    }
  }
}
