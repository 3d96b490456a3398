import type { SqlEntityManager } from '@mikro-orm/sql';
import { ownedTables } from './owned-tables.js';

/** What is sent at the beginning and at the end of a transaction. */
export interface Bracket {
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Asked before it commits; throws when it must not. */
  readonly isAllowed?: () => Promise<void>;
}

const NOTHING: Bracket = { before: [], after: [] };

/**
 * Deletes every row of a tenant from tables that it shares with others, in one transaction, those that refer to others
 * first. Call it in a system frame.
 */
export async function deleteRows(
  em: SqlEntityManager,
  tenantId: string,
  { before, after, isAllowed }: Bracket = NOTHING,
): Promise<void> {
  const platform = em.getPlatform();
  await em.getConnection().transactional(async (transaction) => {
    const send = (sql: string, parameters: string[] = []) =>
      em.getDriver().execute(sql, parameters, 'run', transaction);
    try {
      for (const sql of before) await send(sql);
      for (const { meta, tenantColumn, loops } of ownedTables(em.getMetadata())) {
        const table = em.getDriver().getTableName(meta, { schema: em.schema });
        const own = `where ${platform.quoteIdentifier(tenantColumn)} = ?`;
        // Engines check such references row by row, also when all rows go at once.
        for (const column of loops) {
          await send(`update ${table} set ${platform.quoteIdentifier(column)} = null ${own}`, [tenantId]);
        }
        await send(`delete from ${table} ${own}`, [tenantId]);
      }
      await isAllowed?.();
    } finally {
      for (const sql of after) await send(sql);
    }
  });
}
