import { Inject, Injectable } from '@nestjs/common';
import { CentralEntityManager } from '#libs/persistence';
import { PlacementRecord } from '../entities/placement.entity.js';
import { Tenant } from '../entities/tenant.entity.js';
import { TenantNotFoundError } from '../errors/tenant-not-found.error.js';
import { TENANCY_MODULE_OPTIONS, type TenancyModuleOptions } from '../tenancy.options.js';
import type { TenantRecord } from './tenant-record.js';

interface CachedTenant {
  readonly record: TenantRecord;
  readonly staleAt: number;
}

/**
 * Identifier → tenant record, placement included. Reads the central database and keeps what it read for
 * `cacheTtlMs`; whoever changes a tenant or its placement calls `forget`, which acts on the next request.
 * An unknown identifier is never kept: a tenant can be signed in to as soon as it exists.
 */
@Injectable()
export class TenantStore {
  readonly #byId = new Map<string, CachedTenant>();
  readonly #idBySlug = new Map<string, string>();
  /** Grows with every change: what was read while one was made may be of before, and is not kept. */
  #changes = 0;

  constructor(
    private readonly central: CentralEntityManager,
    @Inject(TENANCY_MODULE_OPTIONS) private readonly options: TenancyModuleOptions,
  ) {}

  /** The tenant of this id, or `undefined`. */
  async findById(id: string): Promise<TenantRecord | undefined> {
    return this.#cached(id) ?? this.#read({ id });
  }

  /** The tenant of this slug, or `undefined`. */
  async findBySlug(slug: string): Promise<TenantRecord | undefined> {
    const id = this.#idBySlug.get(slug);
    return (id && this.#cached(id)) || this.#read({ slug });
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

  /** Drops what is kept of one tenant. Call it after the change has committed. */
  forget(id: string): void {
    this.#changes++;
    this.#drop(id);
  }

  #drop(id: string): void {
    const cached = this.#byId.get(id);
    this.#byId.delete(id);
    if (cached) this.#idBySlug.delete(cached.record.slug);
  }

  #cached(id: string): TenantRecord | undefined {
    const cached = this.#byId.get(id);
    return cached && cached.staleAt > Date.now() ? cached.record : undefined;
  }

  async #read(where: { id: string } | { slug: string }): Promise<TenantRecord | undefined> {
    const changes = this.#changes;
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
    if (changes === this.#changes) this.#keep(record);
    return record;
  }

  #keep(record: TenantRecord): void {
    const { cacheTtlMs = 30_000, cacheSize = 10_000 } = this.options;
    // The oldest entry goes first: a Map keeps insertion order, and ten thousand tenants are some ten megabytes.
    if (this.#byId.size >= cacheSize) {
      const [oldest] = this.#byId.keys();
      if (oldest) this.#drop(oldest);
    }
    this.#byId.set(record.id, { record, staleAt: Date.now() + cacheTtlMs });
    this.#idBySlug.set(record.slug, record.id);
  }
}
