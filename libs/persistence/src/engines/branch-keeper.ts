import { AsyncLocalStorage } from 'node:async_hooks';
import type { AbstractSqlConnection } from '@mikro-orm/sql';
import { CompiledQuery, type DatabaseConnection, type Dialect, type Driver } from 'kysely';
import { runInSystemFrame } from '../system-frame.js';
import type { DatabaseFault } from './bulk-dialect.js';
import type { BranchName, TwoPhaseDialect } from './two-phase-dialect.js';

/** A branch that is about to begin on a pool. */
interface Beginning {
  readonly connection: AbstractSqlConnection;
  readonly name: BranchName;
}

const beginnings = new AsyncLocalStorage<Beginning>();
const branches = new WeakMap<DatabaseConnection, Branch>();

/** The branch under way on a reserved connection. */
export function findBranch(connection: DatabaseConnection): Branch | undefined {
  return branches.get(connection);
}

/** Makes the transaction that `begin` begins on `connection` a branch of this name. */
export function beginAs<T>(connection: AbstractSqlConnection, name: BranchName, begin: () => Promise<T>): Promise<T> {
  return beginnings.run({ connection, name }, begin);
}

/** One branch, on the connection that began it. */
export class Branch {
  /** `kept` is prepared and no longer ours to finish: others know, or will know, what is to become of it. */
  #state: 'active' | 'prepared' | 'kept' = 'active';

  constructor(
    private readonly name: BranchName,
    private readonly connection: DatabaseConnection,
    private readonly dialect: TwoPhaseDialect,
  ) {}

  async prepare(): Promise<void> {
    await this.#send(this.dialect.prepare(this.name));
    this.#state = 'prepared';
  }

  /** From here on this connection does not finish the branch, whatever happens to its transaction. */
  keep(): void {
    if (this.#state === 'prepared') this.#state = 'kept';
  }

  /** @returns whether there was anything to do; if not, the transaction is an ordinary one */
  async begin(): Promise<boolean> {
    if (!this.dialect.session) return false;
    await this.#send([this.dialect.session.begin(this.name)]);
    return true;
  }

  /** @returns like `begin` */
  async commit(): Promise<boolean> {
    if (this.#state === 'prepared') await this.#unlessDone(this.dialect.commit(this.name));
    else if (this.dialect.session) await this.#send(this.dialect.session.commit(this.name));
    else return false;
    return true;
  }

  /** @returns like `begin` */
  async rollback(): Promise<boolean> {
    const { session } = this.dialect;
    if (this.#state === 'prepared') await this.#rollbackPrepared();
    else if (this.#state === 'kept') await this.#leave();
    else if (session) {
      // A server that has given the transaction up refuses to end it, and still wants to be told to forget it.
      for (const sql of session.rollback(this.name)) await this.#send([sql]).catch(() => undefined);
    } else return false;
    return true;
  }

  async #rollbackPrepared(): Promise<void> {
    try {
      await this.#unlessDone(this.dialect.rollback(this.name));
    } catch (error) {
      await this.#leave();
      throw error;
    }
  }

  /** A session with a branch in it is good for nothing else. The answer to its end is an error, if there is one. */
  async #leave(): Promise<void> {
    if (!this.dialect.session) return;
    await this.#send([this.dialect.session.leave]).catch(() => undefined);
    // Fails once the end has arrived here, too: the pool would hand the connection out before.
    await this.#send(['select 1']).catch(() => undefined);
  }

  /** Somebody else who knew the decision may have been quicker. */
  async #unlessDone(sql: string): Promise<void> {
    await this.#send([sql]).catch((error: DatabaseFault) => {
      if (!this.dialect.isUnknown(error)) throw error;
    });
  }

  async #send(statements: readonly string[]): Promise<void> {
    for (const sql of statements) {
      await runInSystemFrame('two-phase commit', () => this.connection.executeQuery(CompiledQuery.raw(sql)), {
        isBounded: true,
      });
    }
  }
}

/**
 * Lets transactions of one connection pool be branches of a two-phase commit. MikroORM and Kysely go on as if they were
 * ordinary ones: what is sent for begin, commit and rollback is exchanged here, below everything that watches connections.
 */
export class BranchKeeper {
  constructor(
    private readonly connection: AbstractSqlConnection,
    private readonly dialect: TwoPhaseDialect,
  ) {}

  install(): void {
    const { connection } = this;
    const createDialect = connection.createKyselyDialect.bind(connection);
    connection.createKyselyDialect = ((options: never) => {
      const made = createDialect(options) as Dialect | Promise<Dialect>;
      return made instanceof Promise ? made.then((it) => this.#keepDialect(it)) : this.#keepDialect(made);
    }) as typeof connection.createKyselyDialect;
  }

  #keepDialect(dialect: Dialect): Dialect {
    const createDriver = dialect.createDriver.bind(dialect);
    dialect.createDriver = () => this.#keepDriver(createDriver());
    return dialect;
  }

  #keepDriver(driver: Driver): Driver {
    const begin = driver.beginTransaction.bind(driver);
    driver.beginTransaction = async (connection, settings) => {
      const beginning = beginnings.getStore();
      if (beginning?.connection !== this.connection) return begin(connection, settings);
      const branch = new Branch(beginning.name, connection, this.dialect);
      if (!(await branch.begin())) await begin(connection, settings);
      branches.set(connection, branch);
    };
    const commit = driver.commitTransaction.bind(driver);
    driver.commitTransaction = async (connection) => {
      if (!(await branches.get(connection)?.commit())) await commit(connection);
      branches.delete(connection);
    };
    const rollback = driver.rollbackTransaction.bind(driver);
    driver.rollbackTransaction = async (connection) => {
      const branch = branches.get(connection);
      branches.delete(connection);
      if (!(await branch?.rollback())) await rollback(connection);
    };
    return driver;
  }
}
