import { createHash } from 'node:crypto';
import { findSystemFrame } from '../system-frame.js';
import { loadPg, type PgClientClass, type PgConnection, type PgQuery } from './pg.js';
import type { StatementSettings } from './statement-settings.js';

/** Begins and ends transactions, alone. `commit prepared` and its like may not stand beside any other statement. */
const CONTROL = /^\s*(?:begin|start transaction|commit|rollback|savepoint|release|prepare transaction)\b[^;]*;?\s*$/i;
const UNKNOWN_STATEMENT = '26000';

/**
 * A pg client class that sends `settings` with each statement: `select set_config(…, true)` in front of it, in the same
 * packet and the same implicit transaction. So it costs no round trip, it is local to the transaction, and it is right
 * behind a pooler that gives each transaction another connection.
 *
 * Statements go by the extended protocol, which takes one at a time, also where they have no values: what is appended to
 * one by an injection does not run. Work of the kit itself may be several in one text, or refuse company (`create
 * database`), so there the settings go ahead in a round trip of their own.
 *
 * @see ADR 0024
 */
export function settingsClient(settings: StatementSettings): PgClientClass {
  const { Client, Query } = loadPg();
  const listed = (isLocal: boolean) => settings.names.map((name, n) => `set_config('${name}', $${n + 1}, ${isLocal})`);
  const local = `select ${listed(true).join(', ')}`;
  const lasting = `select ${listed(false).join(', ')}`;
  // Of what it does: behind a pooler, clients with other settings come by the same connection.
  const statement = `rowhouse_settings_${createHash('sha256').update(local).digest('hex').slice(0, 8)}`;
  // A pooler that does not know of prepared statements gives us connections that never saw ours.
  let mayPrepare = true;

  /** Puts the settings in front of what a query sends, and keeps their answer from it. */
  class SettingsQuery extends Query {
    #isSettled = false;
    readonly #client: SettingsClient;
    readonly #wanted: readonly string[];

    constructor(config: unknown, values: unknown, client: SettingsClient, wanted: readonly string[]) {
      super(config, values);
      this.#client = client;
      this.#wanted = wanted;
    }

    override submit(connection: PgConnection): unknown {
      return this.#client.sendSettings(connection, this.#wanted, () => super.submit(connection));
    }

    override handleDataRow(message: unknown): void {
      if (this.#isSettled) super.handleDataRow(message);
    }

    override handleCommandComplete(message: unknown, connection: unknown): void {
      if (this.#isSettled) {
        super.handleCommandComplete(message, connection);
        return;
      }
      this.#isSettled = true;
      this.#client.settled();
    }

    override handleError(error: { code?: string }, connection: unknown): void {
      if (!this.#isSettled) this.#client.unsettled(error);
      super.handleError(error, connection);
    }
  }

  class SettingsClient extends Client {
    /** What holds in the transaction that is open. */
    #held: readonly string[] | undefined;
    #isPrepared = false;

    override query(config: unknown, values?: unknown, callback?: unknown): unknown {
      const text = typeof config === 'string' ? config : (config as { text?: string }).text;
      if (text !== undefined && CONTROL.test(text)) {
        // A savepoint rolled back takes back what was set since.
        this.#held = undefined;
        return super.query(config, values, callback);
      }
      const status = this.getTransactionStatus();
      // The server says itself that nothing but a rollback is left to do.
      if (status === 'E') return super.query(config, values, callback);
      const wanted = settings.valuesOf();
      if (status === 'T') {
        if (this.#held && isSame(this.#held, wanted)) return super.query(alone(config), values, callback);
        this.#held = wanted;
      }
      if (isSubmittable(config)) return super.query(this.#carry(config, wanted), values, callback);
      if (findSystemFrame() !== undefined) return this.#sendAhead(wanted, config, values, callback);
      return this.#send(wanted, config, values, callback);
    }

    #send(wanted: readonly string[], config: unknown, values: unknown, callback: unknown): unknown {
      const query = new SettingsQuery(alone(config), values, this, wanted);
      if (typeof callback === 'function') return super.query(query, callback);
      return new Promise((resolve, reject) => {
        const done = (error: unknown, result: unknown) => (error ? reject(error) : resolve(result));
        super.query(query, done);
      });
    }

    async #sendAhead(wanted: readonly string[], config: unknown, values: unknown, callback: unknown): Promise<unknown> {
      await super.query(lasting, wanted);
      return super.query(config, values, callback);
    }

    /** As `SettingsQuery`, for what brings a `submit` of its own: a cursor. */
    #carry(query: PgQuery, wanted: readonly string[]): PgQuery {
      const { submit, handleDataRow, handleCommandComplete, handleError } = query;
      query.submit = (connection) => this.sendSettings(connection, wanted, () => submit.call(query, connection));
      query.handleDataRow = () => {};
      query.handleCommandComplete = () => {
        this.settled();
        Object.assign(query, { handleDataRow, handleCommandComplete, handleError });
      };
      query.handleError = (error, connection) => {
        this.unsettled(error);
        handleError.call(query, error, connection);
      };
      return query;
    }

    /** The settings, and what `send` sends, in one packet. */
    sendSettings(connection: PgConnection, wanted: readonly string[], send: () => unknown): unknown {
      connection.stream.cork();
      try {
        const name = mayPrepare ? statement : '';
        if (name === '' || !this.#isPrepared) {
          // It may be there already, from an attempt that failed later on; closing what is not there is no error.
          if (name !== '') connection.close({ type: 'S', name });
          connection.parse({ name, text: local });
        }
        connection.bind({ statement: name, values: wanted });
        connection.execute({});
        return send();
      } finally {
        connection.stream.uncork();
      }
    }

    /** The server has answered the settings; what comes now answers the statement. */
    settled(): void {
      this.#isPrepared = mayPrepare;
    }

    unsettled({ code }: { readonly code?: string }): void {
      if (code === UNKNOWN_STATEMENT) mayPrepare = false;
      this.#isPrepared = false;
      this.#held = undefined;
    }
  }

  return SettingsClient;
}

function isSubmittable(config: unknown): config is PgQuery {
  return typeof (config as PgQuery).submit === 'function';
}

/** One statement, whatever the text holds. */
function alone(config: unknown): unknown {
  return typeof config === 'string' && findSystemFrame() === undefined
    ? { text: config, queryMode: 'extended' }
    : config;
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((value, n) => value === others[n]);
}
