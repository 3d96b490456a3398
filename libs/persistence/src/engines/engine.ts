import type { Configuration, Options } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import type { BulkDialect } from './bulk-dialect.js';
import type { FenceDialect } from './fence-dialect.js';
import type { LockDialect } from './lock-dialect.js';
import type { PlaceDialect } from './place-dialect.js';

import type { StatementSettings } from './statement-settings.js';
import type { TransactionDialect } from './transaction-dialect.js';
import type { TwoPhaseDialect } from './two-phase-dialect.js';

import type { Wire } from './wire.js';

/** The database products Rowhouse runs on. `mysql` is Oracle's server, `mariadb` is MariaDB: their drivers differ. */
export type EngineName = 'sqlite' | 'mysql' | 'mariadb' | 'postgresql';

/** Size and patience of one connection pool. On sqlite there is one connection per file, whatever `max` says. */
export interface PoolOptions {
  /** Connections at most. Default 10. */
  readonly max?: number;
  /** How long an unused connection is kept, in milliseconds. Default 30 000. */
  readonly idleTimeoutMs?: number;
  /** How long a caller waits for a connection that is free, in milliseconds; then it gets a `PoolExhaustedError`. Default 30 000. */
  readonly acquireTimeoutMs?: number;
  /** Sent once on every new connection, before anything else. */
  readonly onCreateSql?: readonly string[];
  /** Sent each time a connection is taken from the pool, in the context of who takes it. A round trip each. */
  readonly onReserveSql?: () => readonly string[];
}

/** A MikroORM driver class. */
export type DriverClass = new (config: Configuration) => AbstractSqlDriver;

/**
 * All that the rest of Rowhouse needs to know about one database product. Nothing outside `engines/` names a product's
 * SQL, driver or URL form.
 *
 * @see Kysely's dialects: the same file set per product, and nothing outside a dialect knows the dialect
 */
export interface Engine {
  readonly name: EngineName;
  /** MikroORM driver of this engine. Those of servers are loaded when they are first asked for. */
  readonly driver: DriverClass;
  /** Whether `driver` is one of this engine's. MariaDB's is also one of MySQL's, whose class it extends. */
  runs(driver: AbstractSqlDriver): boolean;
  /** Rows that a stream reads at once where nothing else is said: few enough to die young, enough for a round trip. */
  readonly streamedRows: number;
  /** How this engine writes many rows at once. */
  readonly bulk: BulkDialect;
  /** How this engine runs transactions. */
  readonly transactions: TransactionDialect;
  /** How this engine takes part in a commit over several databases; absent on sqlite, which cannot. */
  readonly twoPhase?: TwoPhaseDialect;
  /** How processes keep out of each other's way. */
  readonly locks: LockDialect;
  /** How this engine keeps a tenant's rows as they are while they are moved. */
  readonly fences: FenceDialect;
  /** How this engine makes places that only one tenant has. */
  readonly places: PlaceDialect;
  /** What to do about connections that do not answer; absent on sqlite, which has no server. */
  readonly wire?: Wire;
  /**
   * MikroORM options that let each statement carry `settings`; absent where statements cannot. What they hold counts
   * from the statement's own context, so a connection may serve one tenant after the other.
   */
  carry?(settings: StatementSettings): Partial<Options<AbstractSqlDriver>>;
  /** MikroORM options that open the database behind `url`. Pure: connects to nothing, creates no file. */
  connectionOptions(url: string, pool?: PoolOptions): Partial<Options<AbstractSqlDriver>>;
}
