import type { EventSubscriber, TransactionEventArgs } from '@mikro-orm/core';
import { CompiledQuery, type Kysely } from 'kysely';
import { type EngineName, runInSystemFrame } from '#libs/persistence';

type Row = Readonly<Record<string, unknown>>;

/** PostgreSQL's driver sends a statement of arrays faster than one of a thousand values. */
const TYPES: Readonly<Record<string, string>> = { tenant_id: 'uuid', id: 'uuid', occurred_at: 'timestamptz' };

/** One insert of rows as they were stored, without the columns that are null in all of them. */
function insertOf(engine: EngineName, rows: readonly Row[]): CompiledQuery {
  const names = Object.keys(rows[0] ?? {}).filter((name) => rows.some((row) => row[name] !== null));
  const into = `insert into audit_entry (${names.join(', ')})`;
  if (engine === 'postgresql') {
    const arrays = names.map((name, index) => `$${index + 1}::${TYPES[name] ?? 'text'}[]`);
    const values = names.map((name) => rows.map((row) => row[name]));
    return CompiledQuery.raw(`${into} select * from unnest(${arrays.join(', ')})`, values);
  }
  const tuple = `(${names.map(() => '?').join(', ')})`;
  const values = rows.flatMap((row) => names.map((name) => row[name]));
  return CompiledQuery.raw(`${into} values ${rows.map(() => tuple).join(', ')}`, values);
}

/**
 * Inserts entries that somebody else has made, in statements that are ready before the clock runs: what the database and
 * its driver take for them, whoever records.
 */
export class DriverEntries implements EventSubscriber {
  #ready: CompiledQuery[] = [];

  /** What the next transactions insert before they commit, `count` rows each. */
  prepare(engine: EngineName, rows: readonly Row[], count: number): void {
    this.#ready = [];
    for (let from = 0; from < rows.length; from += count) {
      this.#ready.push(insertOf(engine, rows.slice(from, from + count)));
    }
  }

  async beforeTransactionCommit({ transaction }: TransactionEventArgs): Promise<void> {
    const query = this.#ready.shift();
    // Past the guard, which lets nobody write entries.
    if (query) await runInSystemFrame('a benchmark', () => (transaction as Kysely<unknown>).executeQuery(query));
  }
}
