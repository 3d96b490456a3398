import { Injectable } from '@nestjs/common';
import { currentContext } from '#libs/context';
import { OperationRefusedError } from '../guard/errors/operation-refused.error.js';
import { CrossTenantLedger } from './cross-tenant-ledger.js';
import { Crossing, enterCrossing, findCrossing } from './crossing.js';

/** How a piece of work across tenants is bounded. */
export interface AcrossTenantsOptions {
  /** After this many milliseconds no further statement goes through. Default 10 000. */
  readonly timeLimitMs?: number;
}

const DEFAULT_TIME_LIMIT_MS = 10_000;

/**
 * The one door through the guard: reads rows of several tenants, with a reason. The door is narrow. Only a SELECT that
 * gives `tenant_id` goes through, so that what was read is counted by tenant; it closes with the function or with the
 * time; and the tenants concerned find the use in their trails before its result is handed out. Who may ask for it is
 * the caller's to check.
 *
 * @see Rails `unscoped`, ABP `DataFilter.Disable`: there nobody learns of it
 * @example
 * await acrossTenants.run('search for a recalled product', () => findRows(shards, Product, query, limits));
 */
@Injectable()
export class AcrossTenants {
  constructor(private readonly ledger: CrossTenantLedger) {}

  /**
   * Runs `fn` with reads of all tenants allowed. Also when `fn` fails, what it has read by then is on record.
   *
   * @param reason in words that tenants understand: they will read it
   * @throws {OperationRefusedError} without a reason or an actor, with a tenant in the context, or inside another use
   * @throws {AcrossTenantsEndedError} from statements that come too late
   */
  async run<T>(reason: string, fn: () => Promise<T>, options: AcrossTenantsOptions = {}): Promise<T> {
    const { actor, tenant } = currentContext();
    if (reason.trim() === '') this.#refuse('nobody could be told why', 'Give a reason.');
    if (!actor) this.#refuse('nobody could be told who', 'Run it as somebody, with runAs().');
    if (tenant) this.#refuse('the context is for one tenant', 'Run it for no tenant, with runAs().');
    if (findCrossing()) this.#refuse('it is inside another use', 'Put the work into one function.');
    const crossing = new Crossing(performance.now() + (options.timeLimitMs ?? DEFAULT_TIME_LIMIT_MS));
    try {
      return await enterCrossing(crossing, fn);
    } finally {
      crossing.close();
      if (crossing.rows.size > 0) await this.ledger.record({ reason, actor, rows: crossing.rows });
    }
  }

  #refuse(because: string, instead: string): never {
    throw new OperationRefusedError('Work across tenants', because, instead);
  }
}
