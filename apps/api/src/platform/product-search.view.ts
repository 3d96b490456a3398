import type { TenantRecord } from '#libs/tenancy';

/** A product as a search over all tenants shows it: enough to know what and whose it is. */
export type FoundProduct = ReturnType<typeof toFoundProductView>;

/** @param tenant  absent when rows have outlived their tenant, which an operator should see */
export function toFoundProductView(row: Readonly<Record<string, unknown>>, tenant: TenantRecord | undefined) {
  return {
    tenant: { id: String(row.tenantId), slug: tenant?.slug ?? null },
    id: row.id,
    type: row.type,
    sku: row.sku,
    name: row.name,
    price: { amount: row.price_amount, currency: row.price_currency },
    stock: row.stock,
    createdAt: (row.createdAt as Date).toISOString(),
  };
}
