import { Migration } from '@mikro-orm/migrations';
import { dropRowSecuritySql, rowSecuritySql } from '#libs/tenancy';

const TABLES = [
  'audit_entry',
  'idempotency_record',
  'product',
  'book',
  'electronic',
  'digital_product',
  'shop_order',
  'order_line',
  'wallet',
  'transfer',
  'payment',
];

/** PostgreSQL alone has policies. A migration that makes a table ends with `rowSecuritySql` for it. */
export class Migration20261125131500RowSecurity extends Migration {
  override up(): void {
    for (const sql of TABLES.flatMap((table) => rowSecuritySql(table))) this.addSql(sql);
  }

  override down(): void {
    for (const sql of TABLES.flatMap((table) => dropRowSecuritySql(table))) this.addSql(sql);
  }
}
