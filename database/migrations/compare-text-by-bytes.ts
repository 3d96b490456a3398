import type { Migration } from '@mikro-orm/migrations';

const COLLATION = 'utf8mb4_bin';

/** Every table that was made before, and no other: the database may hold somebody else's, too. */
export const TABLES_BEFORE = {
  central: ['api_key', 'app_user', 'invitation', 'membership', 'placement', 'session', 'tenant'],
  tenant: [
    ...[
      'audit_entry',
      'book',
      'digital_product',
      'electronic',
      'idempotency_record',
      'order_line',
      'payment',
      'product',
    ],
    ...['shop_order', 'transfer', 'wallet'],
  ],
} as const;

const listed = (names: readonly string[]) => names.map((name) => `'${name}'`).join(', ');

/** Those of `names` that compare text by something else. */
const tablesSql = (names: readonly string[]) =>
  'select table_name as name from information_schema.tables ' +
  `where table_schema = database() and table_collation <> '${COLLATION}' and table_name in (${listed(names)}) ` +
  'order by table_name';

/** Foreign keys to `names`: their columns in order, and what happens to rows whose target goes or changes. */
const foreignKeysSql = (names: readonly string[]) =>
  'select k.constraint_name as name, k.table_name as source, k.referenced_table_name as target, ' +
  'r.update_rule as on_update, r.delete_rule as on_delete, ' +
  "group_concat(concat('`', k.column_name, '`') order by k.ordinal_position) as columns, " +
  "group_concat(concat('`', k.referenced_column_name, '`') order by k.ordinal_position) as referenced " +
  'from information_schema.key_column_usage k join information_schema.referential_constraints r ' +
  'on r.constraint_schema = k.constraint_schema and r.constraint_name = k.constraint_name ' +
  'and r.table_name = k.table_name ' +
  `where k.constraint_schema = database() and k.referenced_table_name in (${listed(names)}) ` +
  'group by k.constraint_name, k.table_name, k.referenced_table_name, r.update_rule, r.delete_rule';

type ForeignKey = Readonly<
  Record<'name' | 'source' | 'target' | 'on_update' | 'on_delete' | 'columns' | 'referenced', string>
>;

const drop = ({ source, name }: ForeignKey) => `alter table \`${source}\` drop foreign key \`${name}\``;
const add = ({ source, name, target, on_update, on_delete, columns, referenced }: ForeignKey) =>
  `alter table \`${source}\` add constraint \`${name}\` foreign key (${columns}) references \`${target}\` (${referenced}) ` +
  `on update ${on_update} on delete ${on_delete}`;

/**
 * For MySQL and MariaDB: the statements that let tables made before compare text by its bytes, as all tables do that are
 * made now. None for a database that was made since. MariaDB changes no column that is part of a foreign key, so these go
 * and come back.
 */
export async function compareTextByBytes(migration: Migration, names: readonly string[]): Promise<string[]> {
  const tables = (await migration.execute(tablesSql(names))) as { readonly name: string }[];
  if (tables.length === 0) return [];
  const keys = (await migration.execute(foreignKeysSql(names))) as ForeignKey[];
  return [
    ...keys.map(drop),
    ...tables.map(({ name }) => `alter table \`${name}\` convert to character set utf8mb4 collate ${COLLATION}`),
    ...keys.map(add),
  ];
}
