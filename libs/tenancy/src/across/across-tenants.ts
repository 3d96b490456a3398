import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { type Actor, currentContext } from '#libs/context';
import { AcrossTenantsDeniedError } from '../errors/across-tenants-denied.error.js';
import { OperationRefusedError } from '../guard/errors/operation-refused.error.js';
import { TENANCY_MODULE_OPTIONS, type TenancyModuleOptions } from '../tenancy.options.js';
import { bindAcrossTenants } from './across-tenants-function.js';
import { CrossTenantLedger } from './cross-tenant-ledger.js';
import { Crossing, enterCrossing, findCrossing } from './crossing.js';

/** How a piece of work across tenants is bounded. */
export interface AcrossTenantsOptions {
  /** After this many milliseconds no further statement goes through. Default 10 000. */
  readonly timeLimitMs?: number;
}

const DEFAULT_TIME_LIMIT_MS = 10_000;

/** People of a tenant and its keys never; jobs when the application says so. */
function isOperatorOrSystem({ type }: Actor): boolean {
  return type === 'operator' || type === 'system';
}

/**
 * The one door through the guard: reads rows of several tenants, with a reason. The door is narrow. Only a SELECT that
 * gives `tenant_id` goes through, so that what was read is counted by tenant; it closes with the function or with the
 * time; and the tenants concerned find the use in their trails before its result is handed out. Who may ask for it is
 * what `mayCrossTenants` of the module says: operators and the system.
 *
 * @see Rails `unscoped`, ABP `DataFilter.Disable`: there nobody learns of it
 * @example
 * await acrossTenants.run('search for a recalled product', () => findRows(shards, Product, query, limits));
 */
@Injectable()
export class AcrossTenants implements OnModuleInit, OnApplicationShutdown {
  #unbind = () => {};

  constructor(
    private readonly ledger: CrossTenantLedger,
    @Inject(TENANCY_MODULE_OPTIONS) private readonly options: TenancyModuleOptions,
  ) {}

  onModuleInit(): void {
    this.#unbind = bindAcrossTenants(this);
  }

  onApplicationShutdown(): void {
    this.#unbind();
  }

  /**
   * Runs `fn` with reads of all tenants allowed. Each use is on record once, also one that fails or finds nothing: that no tenant
   * has a row is an answer as well.
   *
   * @param reason in words that tenants understand: they will read it
   * @throws {AcrossTenantsDeniedError} the actor may not
   * @throws {OperationRefusedError} without a reason or an actor, with a tenant in the context, or inside another use
   * @throws {AcrossTenantsEndedError} from statements that come too late
   */
  async run<T>(reason: string, fn: () => Promise<T>, options: AcrossTenantsOptions = {}): Promise<T> {
    const { actor, tenant } = currentContext();
    if (reason.trim() === '') this.#refuse('nobody could be told why', 'Give a reason.');
    if (!actor) this.#refuse('nobody could be told who', 'Run it as somebody, with runAs().');
    if (tenant) this.#refuse('the context is for one tenant', 'Run it for no tenant, with runAs().');
    if (!(this.options.mayCrossTenants ?? isOperatorOrSystem)(actor)) throw new AcrossTenantsDeniedError(actor.type);
    if (findCrossing()) this.#refuse('it is inside another use', 'Put the work into one function.');
    const crossing = new Crossing(performance.now() + (options.timeLimitMs ?? DEFAULT_TIME_LIMIT_MS));
    try {
      return await enterCrossing(crossing, fn);
    } finally {
      crossing.close();
      await this.ledger.record({ reason, actor, rows: crossing.rows });
    }
  }

  #refuse(because: string, instead: string): never {
    throw new OperationRefusedError('Work across tenants', because, instead);
  }
}
