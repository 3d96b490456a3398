import type { AbortQueryOptions, EntityMetadata } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { CompiledQuery } from 'kysely';
import type { BulkStatement } from '../engines/bulk-dialect.js';
import { BulkWriteLostError } from '../errors/bulk-write-lost.error.js';
import { runAnnounced } from '../events/announced-write.js';

/** The quoted name of a class's own table, in the schema that the EntityManager works in. */
export function tableOf(em: SqlEntityManager, meta: EntityMetadata): string {
  return em.getDriver().getTableName(meta, { schema: em.schema });
}

type Result = Record<string, unknown>;

/** Protected in MikroORM's types. */
interface Abortable {
  getAbortOptions(): AbortQueryOptions | undefined;
}

/**
 * Sends a statement on the transaction of `em`, where checks of SQL see it, with values apart from the text.
 * @throws {DriverException} as MikroORM would
 */
export async function send(em: SqlEntityManager, sql: string, parameters: readonly unknown[]) {
  try {
    const query = CompiledQuery.raw(sql, [...parameters]);
    // Whoever forked `em` with a signal may call the whole write off.
    const abort = (em as unknown as Abortable).getAbortOptions();
    const { rows, numAffectedRows } = await runAnnounced('bulk', () =>
      em.getKysely().executeQuery<Result>(query, abort),
    );
    return { rows, affected: Number(numAffectedRows ?? 0) };
  } catch (error) {
    throw em.getDriver().convertException(error as Error);
  }
}

/** @throws {BulkWriteLostError} when a statement reaches fewer rows than it names */
export async function sendAll(em: SqlEntityManager, table: string, statements: Iterable<BulkStatement>): Promise<void> {
  for (const { sql, parameters, affects } of statements) {
    const { affected } = await send(em, sql, parameters);
    if (affected !== affects) throw new BulkWriteLostError(table, affects, affected);
  }
}
