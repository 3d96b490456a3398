import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** What is used of pg, which brings no types. Parts of it are documented for authors of cursors and the like only. */
export interface Pg {
  readonly Client: PgClientClass;
  readonly Query: new (config: unknown, values?: unknown, callback?: unknown) => PgQuery;
}

export type PgClientClass = new (options: unknown) => PgClient;

export interface PgClient {
  readonly connection: PgConnection;
  query(config: unknown, values?: unknown, callback?: unknown): unknown;
  getTransactionStatus(): 'I' | 'T' | 'E' | null;
}

export interface PgConnection {
  readonly stream: { cork(): void; uncork(): void };
  /** Texts of prepared statements, by name. */
  readonly parsedStatements: Record<string, string>;
  parse(statement: { name?: string; text: string }): void;
  bind(portal: { statement?: string; values: readonly string[] }): void;
  execute(portal: object): void;
  close(what: { type: 'S'; name: string }): void;
}

export interface PgQuery {
  callback?: unknown;
  submit(connection: PgConnection): unknown;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: unknown): void;
  handleError(error: { code?: string }, connection: unknown): void;
}

/** pg as MikroORM's driver sees it, not ours: there must be one. Loaded when it is asked for, as the driver is. */
export function loadPg(): Pg {
  return createRequire(require.resolve('@mikro-orm/postgresql'))('pg') as Pg;
}
