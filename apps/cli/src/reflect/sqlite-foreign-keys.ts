import type { AbstractSqlConnection, AbstractSqlDriver, ForeignKey } from '@mikro-orm/sql';

/** What `pragma foreign_key_list` answers: a line for each column of a key, `id` counts keys. */
interface PragmaRow {
  readonly id: number;
  readonly seq: number;
  readonly table: string;
  readonly from: string;
  readonly to: string | null;
  readonly on_update: string;
  readonly on_delete: string;
}

/** The one method of MikroORM's helper that is replaced; its class is not exported. */
interface SqliteSchemaHelper {
  getForeignKeys(connection: AbstractSqlConnection, table: string): Promise<Record<string, ForeignKey>>;
}

/** MikroORM 7.2.1 takes every column of a composite foreign key of SQLite for a key of its own. This reads them whole. */
export function readForeignKeysWhole(driver: AbstractSqlDriver): void {
  const helper = driver.getPlatform().getSchemaHelper() as unknown as SqliteSchemaHelper;
  helper.getForeignKeys = async (connection, table) => {
    const rows = await connection.execute<PragmaRow[]>('select * from pragma_foreign_key_list(?)', [table]);
    const keys = new Map<number, PragmaRow[]>();
    for (const row of rows) keys.set(row.id, [...(keys.get(row.id) ?? []), row]);
    const described = [...keys.values()].map((columns) => toForeignKey(table, columns));
    return Object.fromEntries(described.map((key) => [key.constraintName, key]));
  };
}

function toForeignKey(table: string, unordered: readonly PragmaRow[]): ForeignKey {
  const columns = unordered.toSorted((a, b) => a.seq - b.seq);
  const [first] = columns as [PragmaRow];
  const columnNames = columns.map(({ from }) => from);
  return {
    constraintName: `${table}_${columnNames.join('_')}_foreign`,
    columnNames,
    localTableName: table,
    referencedTableName: first.table,
    // A key that names no columns means the other table's primary key.
    referencedColumnNames: columns.map(({ to }) => to ?? 'id'),
    updateRule: first.on_update.toLowerCase(),
    deleteRule: first.on_delete.toLowerCase(),
  };
}
