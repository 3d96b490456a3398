import { Injectable } from '@nestjs/common';
import { containsText } from '#libs/persistence';
import { findRows, type ShardHealth, ShardRegistry } from '#libs/sharding';
import { AcrossTenants, TenantStore } from '#libs/tenancy';
import { InvalidInputError } from '../http/errors/invalid-input.error.js';
import { SearchTooWideError } from '../http/errors/search-too-wide.error.js';
import { Product } from '../shop/catalogue/product.entity.js';
import { OwnPlaceRows } from '../storage/own-place-rows.js';
import type { ProductSearchQuery } from './platform.schemas.js';
import { type FoundProduct, toFoundProductView } from './product-search.view.js';

/** How long a shard may take; a search is made by somebody who waits. */
const DEADLINE_MS = 2_000;

const FIELDS = ['type', 'sku', 'name', 'price_amount', 'price_currency', 'stock', 'createdAt'] as const;
/** Property by the name the API sorts by. */
const SORT_FIELDS = { createdAt: 'createdAt', name: 'name', price: 'price_amount', sku: 'sku' } as const;

/** Places of single tenants that one search asks. Each costs a round trip, and for a database a connection. */
export const MAX_PLACES = 200;

/** What a search found, and who it has from. */
export interface ProductSearchResult {
  readonly data: readonly FoundProduct[];
  /** One that is not `ok` is missing from `data`. */
  readonly shards: readonly ShardHealth[];
  /** Schemas and databases of single tenants: how many were to be asked, and whose are missing from `data`, by slug. */
  readonly places: { readonly asked: number; readonly missing: readonly string[] };
}

/**
 * Finds products of all tenants, wherever their rows lie, for operators. The tenants concerned find it in their trails.
 */
@Injectable()
export class ProductSearch {
  constructor(
    private readonly shards: ShardRegistry,
    private readonly ownPlaces: OwnPlaceRows,
    private readonly acrossTenants: AcrossTenants,
    private readonly tenants: TenantStore,
  ) {}

  /**
   * @throws {SearchTooWideError} when more tenants than `MAX_PLACES` have places of their own, before anything is read
   * @throws {InvalidInputError} for a tenant that is not there
   */
  async search({ name, limit, sort, tenant: slugs }: ProductSearchQuery): Promise<ProductSearchResult> {
    const tenantIds = slugs && new Set(await this.#idsOf(slugs));
    const beside = await this.ownPlaces.find(tenantIds);
    const asked = beside.sources.length;
    if (asked > MAX_PLACES) throw new SearchTooWideError(asked, MAX_PLACES);
    const field = SORT_FIELDS[sort.replace('-', '') as keyof typeof SORT_FIELDS];
    const query = {
      where: {
        ...(name !== undefined && { [containsText('name', name)]: [] }),
        ...(tenantIds && { tenantId: { $in: [...tenantIds] } }),
      },
      fields: FIELDS,
      orderBy: { [field]: sort.startsWith('-') ? ('desc' as const) : ('asc' as const) },
      limit,
    };
    const reason = name === undefined ? 'Search of products' : `Search of products by name: ${name}`;
    const { rows, shards, missing } = await this.acrossTenants.run(reason, () =>
      findRows(this.shards, Product, query, { deadlineMs: DEADLINE_MS }, beside),
    );
    const data = await Promise.all(
      rows.map(async (row) => toFoundProductView(row, await this.tenants.findById(String(row.tenantId)))),
    );
    return { data, shards, places: { asked, missing } };
  }

  async #idsOf(slugs: readonly string[]): Promise<string[]> {
    const found = await Promise.all(slugs.map((slug) => this.tenants.findBySlug(slug)));
    const errors = slugs
      .filter((_, n) => !found[n])
      .map((slug) => ({ parameter: 'tenant', detail: `No tenant is called "${slug}".` }));
    if (errors.length > 0) throw new InvalidInputError(errors);
    return found.flatMap((tenant) => tenant?.id ?? []);
  }
}
