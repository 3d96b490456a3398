import { Injectable } from '@nestjs/common';
import { containsText } from '#libs/persistence';
import { findRows, type ShardHealth, ShardRegistry } from '#libs/sharding';
import { AcrossTenants, TenantStore } from '#libs/tenancy';
import { Product } from '../shop/catalogue/product.entity.js';
import type { ProductSearchQuery } from './platform.schemas.js';
import { type FoundProduct, toFoundProductView } from './product-search.view.js';

/** How long a shard may take; a search is made by somebody who waits. */
const DEADLINE_MS = 2_000;

const FIELDS = ['type', 'sku', 'name', 'price_amount', 'price_currency', 'stock', 'createdAt'] as const;
/** Property by the name the API sorts by. */
const SORT_FIELDS = { createdAt: 'createdAt', name: 'name', price: 'price_amount', sku: 'sku' } as const;

/** What a search found, and which shards it has from. */
export interface ProductSearchResult {
  readonly data: readonly FoundProduct[];
  /** One that is not `ok` is missing from `data`. */
  readonly shards: readonly ShardHealth[];
}

/** Finds products of all tenants on all shards, for operators. The tenants concerned find it in their trails. */
@Injectable()
export class ProductSearch {
  constructor(
    private readonly shards: ShardRegistry,
    private readonly acrossTenants: AcrossTenants,
    private readonly tenants: TenantStore,
  ) {}

  async search({ name, limit, sort }: ProductSearchQuery): Promise<ProductSearchResult> {
    const field = SORT_FIELDS[sort.replace('-', '') as keyof typeof SORT_FIELDS];
    const query = {
      where: name === undefined ? {} : { [containsText('name', name)]: [] },
      fields: FIELDS,
      orderBy: { [field]: sort.startsWith('-') ? ('desc' as const) : ('asc' as const) },
      limit,
    };
    const reason = name === undefined ? 'Search of products' : `Search of products by name: ${name}`;
    const { rows, shards } = await this.acrossTenants.run(reason, () =>
      findRows(this.shards, Product, query, { deadlineMs: DEADLINE_MS }),
    );
    const data = await Promise.all(
      rows.map(async (row) => toFoundProductView(row, await this.tenants.findById(String(row.tenantId)))),
    );
    return { data, shards };
  }
}
