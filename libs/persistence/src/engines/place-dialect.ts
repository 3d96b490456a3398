/** Sends one statement of the kit's own, outside of any transaction. */
export type SendStatement = (sql: string) => Promise<unknown>;

/** A schema or a database that is there. */
export interface FoundPlace {
  readonly kind: 'schema' | 'database';
  readonly name: string;
}

/** A connection whose own tables are those of one schema. */
export interface ConnectionInside {
  readonly url: string;
  /** MikroORM options; `driverOptions` among them. */
  readonly options: Readonly<Record<string, unknown>> & { readonly driverOptions?: Readonly<Record<string, unknown>> };
}

/**
 * How a product makes and drops places that only one tenant has: schemas and databases. Their names are the kit's own
 * (`[a-z0-9_]`), never input.
 */
export interface PlaceDialect {
  /**
   * Schemas beside the tables of a connection, which SQL reaches by putting their name in front. On MySQL and MariaDB they
   * are databases of the same server. Absent where there are none.
   */
  readonly schemas?: {
    create(name: string): string;
    /**
     * Makes a new schema and what `statements` make inside it, all or nothing and in one round trip. `send` speaks to its
     * neighbour, several statements in one text. Absent where DDL is no part of a transaction.
     * @returns `false` when a schema of this name is there: nothing was done
     */
    createFilled?(name: string, statements: readonly string[], send: SendStatement): Promise<boolean>;
    /** Gives a row when it is there. */
    find(name: string): string;
    /** With everything in it; not there is fine. */
    drop(name: string): string;
    /** How to open connections to which unqualified names mean the tables of a schema, and keep meaning it. */
    inside(url: string, name: string): ConnectionInside;
  };
  /** Whether a connection looks for tables in a list of schemas that can be changed at any time. */
  readonly hasSearchPath: boolean;
  /** URL of the database `name` beside the one behind `url`: on the same server, or in a folder beside the file. */
  databaseUrl(url: string, name: string): string;
  /** Makes the empty database behind a `databaseUrl`; there already is fine. `send` speaks to its neighbour. */
  createDatabase(databaseUrl: string, send: SendStatement): Promise<void>;
  /** Drops it with everything in it, whoever is connected; not there is fine. */
  dropDatabase(databaseUrl: string, send: SendStatement): Promise<void>;
  /**
   * What there is beside the database behind `url` whose name begins with `tenant_`. On servers that includes databases of
   * other installations. `send` speaks to that database.
   */
  listPlaces(url: string, send: SendStatement): Promise<readonly FoundPlace[]>;
  /**
   * Gives a row with `tableName` and `columnName` for each stored column of the tables in a schema, views and generated
   * columns left out. Without a schema, of the tables that unqualified names mean.
   */
  listColumns(schema?: string): string;
  /** MikroORM's `driverOptions` with which a database that is missing is an error instead of a new one. */
  readonly mustExist: Readonly<Record<string, unknown>>;
  /**
   * MikroORM's `driverOptions` with which a connection is closed after some use, for pools whose connections reach the
   * tables of many tenants: a server's end of it that remembers each table it has seen would grow without bound.
   */
  readonly recycleConnections: Readonly<Record<string, unknown>>;
}

/** The database name in the URL of a server. */
export function databaseNameOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1));
}

/** The URL of another database on the same server. */
export function onSameServer(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = name;
  return other.href;
}
