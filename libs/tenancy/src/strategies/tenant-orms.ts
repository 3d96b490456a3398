import type { AbstractSqlConnection } from '@mikro-orm/sql';
import type { Dialect, Driver } from 'kysely';
import { TenantPoolsExhaustedError } from '../errors/tenant-pools-exhausted.error.js';
import type { TenantOrm } from './tenant-databases.js';

/** How many databases of single tenants a process holds open. */
export interface TenantOrmsOptions {
  /** Databases open at once. */
  readonly max: number;
  /** How long a statement waits for a database to be opened while all places are taken, in milliseconds. */
  readonly waitMs: number;
  close(orm: TenantOrm): Promise<void>;
}

interface Entry {
  readonly key: string;
  readonly orm: TenantOrm;
  /** Units of work that may still use it. */
  leases: number;
  /** Connections taken from its pool at this moment, or waited for. */
  busy: number;
  /** Whether it has a place; it takes one when its first connection is asked for. */
  open: boolean;
  closed: boolean;
  /** Ends its wait for a place, while it waits. */
  wake?: () => void;
}

/** A unit of work's hold on an instance. */
export interface Lease {
  readonly orm: TenantOrm;
  /** Called once. */
  release(): void;
}

/**
 * The MikroORM instances of tenants that have a database of their own. An instance costs little until its first statement;
 * then it takes one of a limited number of places. When none is free, the one unused for longest is closed, never one in
 * use; while all are in use, whoever asks waits, in the order of asking and not for ever.
 *
 * What is closed is dropped whole: a pool alone would leave the memory of its compiled statements, and would open anew,
 * uncounted, when somebody kept an EntityManager.
 */
export class TenantOrms {
  /** The one used last stands last. */
  readonly #entries = new Map<string, Entry>();
  readonly #waiting = new Set<() => void>();
  #open = 0;

  constructor(private readonly options: TenantOrmsOptions) {}

  /** Databases open at this moment. */
  get open(): number {
    return this.#open;
  }

  /** The instance of `key`, made now if need be. Synchronous: it connects, and waits for a place, at its first statement. */
  lease(key: string, create: () => TenantOrm): Lease {
    const entry =
      this.#entries.get(key) ?? this.#watch({ key, orm: create(), leases: 0, busy: 0, open: false, closed: false });
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.leases++;
    return {
      orm: entry.orm,
      release: () => {
        entry.leases--;
        this.#settle(entry);
      },
    };
  }

  /** Closes the instance of `key`, used or not. */
  async forget(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry) await this.#evict(entry);
  }

  /** All ways to a connection pass the driver, so that is where a place is taken, and where use is counted. */
  #watch(entry: Entry): Entry {
    const connection = entry.orm.driver.getConnection() as AbstractSqlConnection & {
      createKyselyDialect(options: never): Dialect | Promise<Dialect>;
    };
    const createDialect = connection.createKyselyDialect.bind(connection);
    connection.createKyselyDialect = ((options: never) => {
      const dialect = createDialect(options) as Dialect | Promise<Dialect>;
      return dialect instanceof Promise ? dialect.then((it) => this.#count(it, entry)) : this.#count(dialect, entry);
    }) as typeof connection.createKyselyDialect;
    return entry;
  }

  #count(dialect: Dialect, entry: Entry): Dialect {
    const createDriver = dialect.createDriver.bind(dialect);
    dialect.createDriver = () => this.#countUse(createDriver(), entry);
    return dialect;
  }

  #countUse(driver: Driver, entry: Entry): Driver {
    const { init, acquireConnection, releaseConnection } = driver;
    const freed = () => {
      entry.busy--;
      this.#settle(entry);
    };
    driver.init = async (options) => {
      entry.busy++;
      await this.#takePlace(entry).finally(freed);
      await init.call(driver, options);
    };
    driver.acquireConnection = async (options) => {
      entry.busy++;
      try {
        return await acquireConnection.call(driver, options);
      } catch (error) {
        freed();
        throw error;
      }
    };
    driver.releaseConnection = (connection, options) =>
      releaseConnection.call(driver, connection, options).finally(freed);
    return driver;
  }

  /** An instance that nobody uses makes room for whoever waits, and is not kept at all if it was never opened. */
  #settle(entry: Entry): void {
    if (isIdle(entry) && (!entry.open || this.#waiting.size > 0)) void this.#evict(entry);
  }

  /** @throws {TenantPoolsExhaustedError} */
  async #takePlace(entry: Entry): Promise<void> {
    const deadline = Date.now() + this.options.waitMs;
    while (!entry.closed && !entry.open && this.#open >= this.options.max) {
      const unused = [...this.#entries.values()].find((it) => it.open && isIdle(it));
      if (unused) await this.#evict(unused);
      else await this.#wait(entry, deadline);
    }
    if (entry.closed) {
      // It may have been woken for a place that it will not take.
      this.#wakeNext();
      throw new TenantPoolsExhaustedError(this.options.max, 0);
    }
    if (!entry.open) this.#open++;
    entry.open = true;
  }

  /** Until a place becomes free, or nobody wants it any more. */
  async #wait(entry: Entry, deadline: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { waitMs, max } = this.options;
    const wake = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      // At once, so that nobody wakes who has given up.
      this.#waiting.delete(wake);
      reject(new TenantPoolsExhaustedError(max, waitMs));
    }, deadline - Date.now());
    this.#waiting.add(wake);
    entry.wake = wake;
    await promise.finally(() => delete entry.wake);
  }

  #wakeNext(): void {
    if (this.#open >= this.options.max) return;
    const [next] = this.#waiting;
    if (!next) return;
    this.#waiting.delete(next);
    next();
  }

  async #evict(entry: Entry): Promise<void> {
    if (entry.closed) return;
    entry.closed = true;
    this.#entries.delete(entry.key);
    // A pool closes once it has opened: it would wait here for a place that it no longer needs.
    if (entry.wake) {
      this.#waiting.delete(entry.wake);
      entry.wake();
    }
    try {
      await this.options.close(entry.orm);
    } catch (error) {
      // A pool that got no place has nothing to close.
      if (error instanceof TenantPoolsExhaustedError) return;
      // Whoever is here wants room or has gone on; that another tenant's database does not close is not their failure.
      process.emitWarning(error instanceof Error ? error : String(error));
    } finally {
      if (entry.open) {
        entry.open = false;
        this.#open--;
        this.#wakeNext();
      }
    }
  }
}

function isIdle({ leases, busy }: Entry): boolean {
  return leases === 0 && busy === 0;
}
