import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';
import { CentralEntityManager, ChangeNotices } from '#libs/persistence';
import { PlacementRecord } from '../entities/placement.entity.js';
import { Tenant } from '../entities/tenant.entity.js';
import { TenantDomain } from '../entities/tenant-domain.entity.js';
import { TenantNotFoundError } from '../errors/tenant-not-found.error.js';
import { TENANCY_MODULE_OPTIONS, type TenancyModuleOptions } from '../tenancy.options.js';
import { Kept } from './kept.js';
import type { TenantRecord } from './tenant-record.js';

const TENANT = 'tenant';
const DOMAIN = 'domain';

/**
 * Identifier → tenant record, placement included. Reads the central database and keeps what it read for `cacheTtlMs`.
 * Whoever changes a tenant, its placement or its domains calls `announce` in the transaction and `forget` after it: that
 * acts on the next request, in other processes too, as fast as `ChangeNotices` tells them.
 * An unknown slug or id is never kept: a tenant can be signed in to as soon as it exists.
 */
@Injectable()
export class TenantStore {
  /** How long a record may be used after it was changed, by a process that never hears of it, in milliseconds. */
  readonly cacheTtlMs: number;
  readonly #byId: Kept<TenantRecord>;
  readonly #idBySlug = new Map<string, string>();
  /** Hosts that nobody has as well: each request to the service's own name asks. */
  readonly #idByDomain: Kept<string | undefined>;

  constructor(
    private readonly central: CentralEntityManager,
    @Inject(TENANCY_MODULE_OPTIONS) options: TenancyModuleOptions,
    private readonly notices: ChangeNotices,
  ) {
    const { cacheTtlMs = 30_000, cacheSize = 10_000 } = options;
    this.cacheTtlMs = cacheTtlMs;
    this.#byId = new Kept(cacheTtlMs, cacheSize, ({ slug }) => this.#idBySlug.delete(slug));
    this.#idByDomain = new Kept(cacheTtlMs, cacheSize);
    notices.listen(TENANT, (id) => this.#byId.forget(id));
    notices.listen(DOMAIN, (domain) => this.#idByDomain.forget(domain));
  }

  /** The tenant of this id, or `undefined`. */
  async findById(id: string): Promise<TenantRecord | undefined> {
    await this.notices.whenCurrent();
    return this.#byId.find(id) ?? this.#read({ id });
  }

  /** The tenant of this slug, or `undefined`. */
  async findBySlug(slug: string): Promise<TenantRecord | undefined> {
    await this.notices.whenCurrent();
    const id = this.#idBySlug.get(slug);
    return (id && this.#byId.find(id)) || this.#read({ slug });
  }

  /**
   * Like `findBySlug`, for callers that cannot go on without the tenant.
   * @throws {TenantNotFoundError}
   */
  async getBySlug(slug: string): Promise<TenantRecord> {
    const record = await this.findBySlug(slug);
    if (!record) throw new TenantNotFoundError(slug);
    return record;
  }

  /** Id of the tenant that has shown this domain to be its own, or `undefined`. In small letters, without a final dot. */
  async findIdByDomain(domain: string): Promise<string | undefined> {
    await this.notices.whenCurrent();
    if (this.#idByDomain.has(domain)) return this.#idByDomain.find(domain);
    const reading = this.#idByDomain.startReading();
    const found = await this.central
      .get()
      .fork()
      .findOne(TenantDomain, { domain, verifiedAt: { $ne: null } });
    return reading.keep(domain, found?.tenantId);
  }

  /** Tells other processes of a change, in its transaction. */
  announce(em: SqlEntityManager, id: string): Promise<void> {
    return this.notices.post(em, { topic: TENANT, key: id });
  }

  /** Drops what is kept of one tenant. Call it after the change has committed. */
  forget(id: string): void {
    this.notices.send({ topic: TENANT, key: id });
  }

  /** Like `announce`, of a domain that was verified or removed. */
  announceDomain(em: SqlEntityManager, domain: string): Promise<void> {
    return this.notices.post(em, { topic: DOMAIN, key: domain });
  }

  /** Like `forget`, of a domain. */
  forgetDomain(domain: string): void {
    this.notices.send({ topic: DOMAIN, key: domain });
  }

  async #read(where: { id: string } | { slug: string }): Promise<TenantRecord | undefined> {
    const reading = this.#byId.startReading();
    const em = this.central.get().fork();
    const tenant = await em.findOne(Tenant, where);
    const placement = tenant && (await em.findOne(PlacementRecord, { tenantId: tenant.id }));
    if (!tenant || !placement) return undefined;
    const record: TenantRecord = Object.freeze({
      id: tenant.id,
      slug: tenant.slug,
      name: tenant.name,
      status: tenant.status,
      placement: Object.freeze({ ...placement }),
    });
    reading.keep(record.id, record);
    if (this.#byId.has(record.id)) this.#idBySlug.set(record.slug, record.id);
    return record;
  }
}
