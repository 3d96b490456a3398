import { v7 as uuidv7 } from 'uuid';

/** What a raw writer is given: the same objects as the bulk call. */
export interface BookingRow {
  readonly reference: string;
  readonly subject: string;
  readonly amount: { readonly amount: number; readonly currency: string };
  readonly details: Readonly<Record<string, unknown>> | null;
}

export interface ItemRow {
  readonly sku: string;
  readonly name: string;
  readonly price: { readonly amount: number; readonly currency: string };
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly downloadSizeKb: number;
}

/** A table as code without an ORM knows it. */
export interface RawTable {
  readonly name: string;
  readonly columns: readonly string[];
}

const BOOKING: RawTable = {
  name: 'booking',
  columns: [
    'tenant_id',
    'id',
    'reference',
    'subject',
    'amount_amount',
    'amount_currency',
    'cleared',
    'details',
    'booked_at',
  ],
};
const ITEM: RawTable = {
  name: 'item',
  columns: [
    ...['tenant_id', 'id', 'type', 'sku', 'name', 'price_amount', 'price_currency', 'stock', 'attributes', 'version'],
    ...['created_at', 'updated_at'],
  ],
};
const DIGITAL_ITEM: RawTable = { name: 'digital_item', columns: ['tenant_id', 'id', 'download_size_kb'] };

/** Rows for one table, as its driver takes them. */
export interface RawRows {
  readonly table: RawTable;
  readonly rows: unknown[][];
}

/** How a driver takes booleans and points in time. */
export interface RawValues {
  readonly no: unknown;
  now(): unknown;
}

export function toBookings(source: readonly BookingRow[], tenantId: string, { no, now }: RawValues): RawRows[] {
  const rows = source.map(({ reference, subject, amount, details }) => [
    ...[tenantId, uuidv7(), reference, subject, amount.amount, amount.currency, no],
    ...[details && JSON.stringify(details), now()],
  ]);
  return [{ table: BOOKING, rows }];
}

/** Two tables: the rows of the second have the keys of the first. */
export function toItems(source: readonly ItemRow[], tenantId: string, { now }: RawValues): RawRows[] {
  const [items, digitalItems]: [unknown[][], unknown[][]] = [[], []];
  for (const { sku, name, price, attributes, downloadSizeKb } of source) {
    const id = uuidv7();
    const [stock, version, at] = [0, 1, now()];
    const json = attributes ? JSON.stringify(attributes) : null;
    items.push([tenantId, id, 'digital', sku, name, price.amount, price.currency, stock, json, version, at, at]);
    digitalItems.push([tenantId, id, downloadSizeKb]);
  }
  return [
    { table: ITEM, rows: items },
    { table: DIGITAL_ITEM, rows: digitalItems },
  ];
}
