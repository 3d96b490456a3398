import { createHash } from 'node:crypto';
import type { Configuration } from '@mikro-orm/core';
import type { AbstractSqlConnection } from '@mikro-orm/sql';
import type { DriverClass } from './engine.js';
import { loadPg, type PgClient, type PgClientClass } from './pg.js';

/** Reads with bound values: one text for all of them. MikroORM writes values into its own, which never come again. */
const BOUND_READ = /^select .*\$1/s;
const LONGEST_READ = 4_000;
/** Of one connection. The server's end takes some 50 KB for each. */
const MOST_READS = 64;

/** The table is another one since; a pooler between us and the server gave us a connection that never saw it, or did. */
const RESULT_CHANGED = '0A000';
const UNKNOWN_STATEMENT = '26000';
const KNOWN_STATEMENT = '42P05';

/**
 * A pg client class that keeps reads which come again prepared on their connection, as the driver of SQLite does. The server
 * plans a statement anew each time it is sent without a name: for a row of four joined tables that is four fifths of what a
 * read waits for, and the policies of row-level security add to it.
 *
 * Outside of transactions only: what is prepared may turn out to be gone or out of date, and the read is then sent once more
 * without a name. Inside one, the transaction would be lost.
 *
 * @see ADR 0043
 */
export function keepStatements(Client: PgClientClass): PgClientClass {
  // Behind a pooler that does not know of prepared statements, none are.
  let mayKeep = true;

  return class StatementKeepingClient extends Client {
    readonly #reads = new KeptReads();

    override query(config: unknown, values?: unknown, callback?: unknown): unknown {
      const isBound = typeof config === 'string' && Array.isArray(values) && values.length > 0;
      if (!mayKeep || !isBound || callback !== undefined || this.getTransactionStatus() !== 'I') {
        return super.query(config, values, callback);
      }
      const name = this.#reads.nameOf(config, (dropped) => this.#drop(dropped));
      return name === undefined ? super.query(config, values) : this.#send(name, config, values);
    }

    async #send(name: string, text: string, values: unknown[]): Promise<unknown> {
      try {
        return await super.query({ name, text, values });
      } catch (error) {
        const { code } = error as { code?: unknown };
        const isLost = code === UNKNOWN_STATEMENT || code === KNOWN_STATEMENT;
        if (!isLost && code !== RESULT_CHANGED) throw error;
        if (isLost) mayKeep = false;
        this.#reads.forget(text);
        this.#drop(name);
        return super.query(text, values);
      }
    }

    /** Nobody waits for the answer; to drop what is not there is no error. */
    #drop(name: string): void {
      const { connection } = this as unknown as PgClient;
      delete connection.parsedStatements[name];
      connection.close({ type: 'S', name });
    }
  };
}

/** `driver` with such clients in all its pools, those of replicas included, around whatever client each was given. */
export function withKeptStatements(driver: DriverClass): DriverClass {
  return class StatementKeepingDriver extends driver {
    constructor(config: Configuration) {
      super(config);
      for (const connection of [this.connection, ...this.replicas] as unknown as AbstractSqlConnection[]) {
        const createDialect = connection.createKyselyDialect.bind(connection);
        connection.createKyselyDialect = (options) => {
          const { Client = loadPg().Client } = options as { readonly Client?: PgClientClass };
          return createDialect({ ...options, Client: keepStatements(Client) });
        };
      }
    }
  };
}

/** The last reads of a connection. A text is worth preparing when it comes again. */
class KeptReads {
  /** Names, by text, the longest unused first; `undefined` for one that was seen once. */
  readonly #names = new Map<string, string | undefined>();

  nameOf(text: string, drop: (name: string) => void): string | undefined {
    const isKnown = this.#names.has(text);
    if (!isKnown && (text.length > LONGEST_READ || !BOUND_READ.test(text))) return undefined;
    const name = isKnown ? (this.#names.get(text) ?? nameFor(text)) : undefined;
    if (isKnown) this.#names.delete(text);
    else this.#makeRoom(drop);
    this.#names.set(text, name);
    return name;
  }

  forget(text: string): void {
    this.#names.delete(text);
  }

  #makeRoom(drop: (name: string) => void): void {
    if (this.#names.size < MOST_READS) return;
    const [[text, name]] = this.#names as unknown as [[string, string | undefined]];
    this.#names.delete(text);
    if (name !== undefined) drop(name);
  }
}

/**
 * The same name is the same text for everybody. A pooler may give a connection to one client after another: under a counted
 * name one would run what another has prepared.
 */
function nameFor(text: string): string {
  return `rowhouse_${createHash('sha256').update(text).digest('hex').slice(0, 40)}`;
}
