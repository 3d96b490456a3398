import { UniqueConstraintViolationException } from '@mikro-orm/core';
import { Injectable, Logger } from '@nestjs/common';
import { AuditTrail } from '#libs/audit';
import { type Actor, currentContext, runAs } from '#libs/context';
import { AccountStore, LoginThrottle, type User } from '#libs/identity';
import { CentralEntityManager } from '#libs/persistence';
import { IsolationStrategies, lookOf, type PlacementRecord, SlugLook, SlugTakenError, Tenant } from '#libs/tenancy';
import type { SignUp } from './sign-up.schemas.js';
import { TenantPlacer, type WantedPlacement } from './tenant-placer.js';

const logger = new Logger('SignUpService');

/** What a sign-up made. */
export interface SignedUp {
  readonly tenant: Tenant;
  readonly owner: User;
  readonly placement: PlacementRecord;
}

/**
 * Makes tenants: first the place of its rows, then the tenant, its placement and its owner in one transaction of the central
 * database. A place whose tenant does not come to be is dropped again.
 */
@Injectable()
export class SignUpService {
  constructor(
    private readonly central: CentralEntityManager,
    private readonly accounts: AccountStore,
    private readonly throttle: LoginThrottle,
    private readonly placer: TenantPlacer,
    private readonly strategies: IsolationStrategies,
    private readonly trail: AuditTrail,
  ) {}

  /**
   * @param wanted  what the operator says about where it lives
   * @throws {InvalidSlugError} @throws {SlugTakenError} @throws {EmailInUseError} @throws {UnknownShardError}
   * @throws {StrategyUnsupportedError}
   * @throws {TooManyAttemptsError} after too many passwords that are not the e-mail's
   */
  async signUp({ slug, name, owner: account }: SignUp, wanted?: WantedPlacement): Promise<SignedUp> {
    const em = this.central.get();
    const tenant = new Tenant(slug, name);
    const placement = await this.placer.place(tenant, wanted);
    if (await em.count(SlugLook, { look: lookOf(slug) })) throw new SlugTakenError(slug);
    const ip = currentContext().ip ?? 'unknown';
    await this.throttle.assertAllowed(account.email, ip);
    const getOwner = () => this.throttle.watch(account.email, ip, () => this.accounts.getOrCreate(account));
    // Nobody has a place made with somebody else's e-mail: their password is looked at first.
    const known = (await this.accounts.isKnown(account.email)) ? await getOwner() : undefined;
    const owner = await this.#withPlace(placement, async (isMade) => {
      // The password of somebody new is hashed while the place is made: each takes about as long.
      const owner = known ?? (await whenBothAreOver(getOwner(), isMade));
      await isMade;
      em.persist([tenant, new SlugLook(slug), placement]);
      await this.accounts.addMember(owner, tenant.id, 'owner');
      await this.#refuseTakenSlug(slug, () =>
        em.transactional(async (transaction) => {
          await transaction.flush();
          // Before the commit: a tenant whose trail cannot be opened is not signed up.
          await this.#openTrail(tenant, placement, owner);
        }),
      );
      return owner;
    });
    return { tenant, owner, placement };
  }

  /** Outside of the transaction: to make a schema or a database takes long, and others wait for the central database. */
  async #withPlace<T>(placement: PlacementRecord, work: (isMade: Promise<void>) => Promise<T>): Promise<T> {
    const strategy = this.strategies.get(placement.strategy, placement.shardId);
    try {
      return await work(strategy.provision(placement));
    } catch (error) {
      if (placement.strategy !== 'row' && (await this.#isForNobody(placement))) {
        // What cannot be dropped now is named; nothing refers to it.
        await strategy.drop(placement).catch((failure) => logger.error({ failure, placement }, 'A place is left over'));
      }
      throw error;
    }
  }

  /** A commit may succeed and its answer be lost: only a place that the central database knows nothing of is dropped. */
  async #isForNobody({ tenantId }: PlacementRecord): Promise<boolean> {
    const fork = this.central.get().fork({ disableContextResolution: true });
    const found = await fork.count(Tenant, { id: tenantId }).catch((failure) => {
      logger.error({ failure, tenantId }, 'A place is kept, since nobody could tell whose it is');
      return undefined;
    });
    return found === 0;
  }

  /** The first entry of a tenant's trail says who made it. */
  async #openTrail({ id, slug, name, status }: Tenant, placement: PlacementRecord, owner: User): Promise<void> {
    const record = { id, slug, name, status, placement };
    const actor: Actor = currentContext().actor ?? { id: owner.id, type: 'user', email: owner.email };
    await runAs({ tenant: record, actor }, () => this.trail.record({ action: 'tenant_created', details: { slug } }));
  }

  /** Two sign-ups at once both found the slug free: the database lets one pass. */
  async #refuseTakenSlug<T>(slug: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof UniqueConstraintViolationException && /slug/.test(error.message)) {
        throw new SlugTakenError(slug, { cause: error });
      }
      throw error;
    }
  }
}

/** The first one's result. Neither is left behind: a place that is still being made could not be dropped. */
async function whenBothAreOver<T>(result: Promise<T>, other: Promise<unknown>): Promise<T> {
  await Promise.allSettled([result, other]);
  await other;
  return result;
}
