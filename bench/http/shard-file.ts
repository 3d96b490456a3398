import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';

/** The shard file the tenant was placed on. */
export function shardFileOf(dataDir: string, tenantId: string): string {
  const files = ['shard-1', 'shard-2']
    .map((name) => join(dataDir, `${name}.sqlite`))
    .filter((file) => existsSync(file));
  const file = files.find((it) => {
    const database = new Database(it, { readonly: true });
    const found = database.prepare('select 1 from product where tenant_id = ?').get(tenantId);
    database.close();
    return found;
  });
  if (!file) throw new Error('The product of the benchmark is on no shard.');
  return file;
}
