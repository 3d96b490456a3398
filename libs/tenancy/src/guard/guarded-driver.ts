import { type Configuration, InvalidFieldNameException, TableNotFoundException } from '@mikro-orm/core';
import type { DatabaseConnection, Dialect, Driver, Kysely } from 'kysely';
import { ContextError, findContext } from '#libs/context';
import {
  type DriverClass,
  type Engine,
  findSystemFrame,
  PersistenceError,
  runInSystemFrame,
  WriteRules,
} from '#libs/persistence';
import type { Crossing } from '../across/crossing.js';
import { PlacementUnavailableError } from '../errors/placement-unavailable.error.js';
import { TenancyError } from '../errors/tenancy.error.js';
import { TenantMovingError } from '../errors/tenant-moving.error.js';
import type { Placement } from '../placement.js';
import { placementOf } from '../placement-of.js';
import { OperationRefusedError } from './errors/operation-refused.error.js';
import { watchWrites } from './lost-writes.js';
import { keepSchemaOfPivots } from './schema-of-pivots.js';
import { type GuardedOrm, StatementGuard, type StatementGuardOptions } from './statement-guard.js';

/**
 * The engine's MikroORM driver with every statement looked at before it is sent: those of the ORM, the query builder,
 * Kysely and raw SQL alike. Give it to MikroORM as `driver`, together with `GuardedEntityManager`: neither closes
 * everything alone.
 *
 * What lies beside the one way that all statements take (native clients, dumps, pools handed out by hooks, ready-made
 * Kysely instances) is closed here as well.
 */
export function guardedDriver(engine: Engine, options: StatementGuardOptions = {}): DriverClass {
  return class GuardedDriver extends engine.driver {
    constructor(config: Configuration) {
      super(config);
      let rules: WriteRules | undefined;
      const orm: GuardedOrm = {
        getMetadata: () => this.getMetadata(),
        findWriteRule: (table) => {
          rules ??= new WriteRules(config, this.getMetadata());
          return rules.find(table);
        },
      };
      watchWrites(this);
      if (options.schemaOf) keepSchemaOfPivots(this, options.schemaOf);
      const guard = new StatementGuard(engine.name, orm, options);
      const named = (error: Error) => this.#named(error);
      for (const connection of [this.connection, ...this.replicas]) {
        new ConnectionGuard(connection as unknown as GuardedConnection, config, guard, named).install();
      }
    }

    /** MikroORM wraps whatever a query throws; a refusal is no failure of the database. */
    override convertException(exception: Error): ReturnType<InstanceType<DriverClass>['convertException']> {
      const isRefusal = [TenancyError, ContextError, PersistenceError].some((kind) => exception instanceof kind);
      if (isRefusal) return exception as never;
      if (engine.fences.isRefusal(exception)) return new TenantMovingError({ cause: exception }) as never;
      const converted = super.convertException(exception);
      return (findMissingPlace(converted) ?? converted) as never;
    }

    /** What a statement failed with, when nothing of MikroORM stands behind it to convert it: Kysely, query builders. */
    #named(error: Error): Error {
      if (engine.fences.isRefusal(error)) return new TenantMovingError({ cause: error });
      return findMissingPlace(super.convertException(error)) ?? error;
    }
  };
}

/**
 * A statement that was let through names tables and columns of the mapping. When the database does not know one of them
 * where a tenant has tables of its own, it is that tenant's place that is missing or behind, and nobody else's.
 */
function findMissingPlace(error: Error): PlacementUnavailableError | undefined {
  if (!(error instanceof TableNotFoundException || error instanceof InvalidFieldNameException)) return undefined;
  const placement = findOwnPlace();
  return placement && new PlacementUnavailableError(placement.tenantId, { cause: error });
}

/** The place of the tenant of the context, when it shares its tables with nobody. */
function findOwnPlace(): Placement | undefined {
  const tenant = findContext()?.tenant;
  const placement = tenant && placementOf(tenant);
  return !placement || placement.strategy === 'row' || findSystemFrame() !== undefined ? undefined : placement;
}

type DriverOptions = Kysely<unknown> | Dialect | { onPoolCreated?: unknown };

/** The methods of a MikroORM connection that are replaced. Some are protected, one exists on SQLite only. */
interface GuardedConnection {
  readonly options: {
    driverOptions?: DriverOptions | (() => DriverOptions);
    onCreateConnection?: unknown;
    onReserveConnection?: unknown;
  };
  connect(options?: unknown): Promise<void>;
  createKyselyDialect(options: unknown): Dialect | Promise<Dialect>;
  prepareQuery(query: unknown, parameters?: unknown): { query: string; params: unknown[]; formatted: string };
  executeDump(dump: string): Promise<void>;
  getNativeClient(): Promise<unknown>;
  database?: unknown;
}

/** Puts the guard in front of one connection pool. */
class ConnectionGuard {
  readonly #patched = new WeakSet<DatabaseConnection>();

  constructor(
    private readonly connection: GuardedConnection,
    private readonly config: Configuration,
    private readonly guard: StatementGuard,
    private readonly named: (error: Error) => Error,
  ) {}

  install(): void {
    this.#watchStatements();
    this.#readBeforeFormatting();
    this.#closeByPasses();
    // Pragmas of the driver and of the kit, sent when a connection opens, in the middle of whatever asked first.
    const connect = this.connection.connect.bind(this.connection);
    this.connection.connect = (options) => runInSystemFrame('connect', () => connect(options));
  }

  /** All statements pass the Kysely connection, so that is where they are looked at. */
  #watchStatements(): void {
    const { connection } = this;
    const createDialect = connection.createKyselyDialect.bind(connection);
    connection.createKyselyDialect = (options) => {
      // Drivers read fields of theirs here that are closed to everybody else.
      const dialect = runInSystemFrame('open', () => createDialect(options));
      return dialect instanceof Promise ? dialect.then((it) => this.#watch(it)) : this.#watch(dialect);
    };
  }

  #watch(dialect: Dialect): Dialect {
    const createDriver = dialect.createDriver.bind(dialect);
    dialect.createDriver = () => this.#watchDriver(createDriver());
    return dialect;
  }

  /** Hooks that run when a connection is made or reserved speak for the kit: they set what a strategy relies on. */
  #watchDriver(driver: Driver): Driver {
    const init = driver.init.bind(driver);
    driver.init = (options) => runInSystemFrame('open', () => init(options));
    const acquire = driver.acquireConnection.bind(driver);
    const reserve: typeof acquire = this.#hasHooks()
      ? (options) => runInSystemFrame('reserve a connection', () => acquire(options))
      : acquire;
    driver.acquireConnection = async (options) => this.#watchConnection(await reserve(options));
    return driver;
  }

  /** Whether anything runs when a connection is asked for. SQLite's is made once, when the driver starts. */
  #hasHooks(): boolean {
    const { options } = this.connection;
    const onCreate = options.onCreateConnection ?? this.config.get('onCreateConnection');
    const onReserve = options.onReserveConnection ?? this.config.get('onReserveConnection');
    const isMadeOnce = 'database' in this.connection;
    return (
      (onCreate !== undefined && !isMadeOnce) ||
      onReserve !== undefined ||
      this.config.get('sessionContext') === 'connection'
    );
  }

  #watchConnection(connection: DatabaseConnection): DatabaseConnection {
    // Pools give the same object again and again.
    if (this.#patched.has(connection)) return connection;
    this.#patched.add(connection);
    const { guard, named } = this;
    const { executeQuery, streamQuery, cancelQuery, killSession } = connection;
    // Without `async`: one more promise for each statement is what this would be felt by.
    connection.executeQuery = function guarded(query, options) {
      let crossing: Crossing | undefined;
      try {
        crossing = guard.admit(query.sql, query.parameters);
      } catch (error) {
        return Promise.reject(error);
      }
      const sent = executeQuery.call(this, query, options);
      const answering = findOwnPlace() ? sent.catch((error) => Promise.reject(named(error))) : sent;
      return (crossing ? crossing.witnessed(answering) : answering) as never;
    };
    connection.streamQuery = function guarded(query, chunkSize, options) {
      if (guard.admit(query.sql, query.parameters)) {
        const instead = 'Read pages, with em.execute() or a query builder.';
        throw new OperationRefusedError('A stream across tenants', 'it could outlive the work it belongs to', instead);
      }
      return streamQuery.call(this, query, chunkSize, options) as never;
    };
    // When a call is aborted, Kysely itself tells the server to stop it.
    if (cancelQuery)
      connection.cancelQuery = (control) => runInSystemFrame('cancel', () => cancelQuery.call(connection, control));
    if (killSession)
      connection.killSession = (control) => runInSystemFrame('cancel', () => killSession.call(connection, control));
    return connection;
  }

  /** MikroORM writes values into the text it sends. Read before that, a text stands for all values. */
  #readBeforeFormatting(): void {
    const { connection, guard } = this;
    const prepareQuery = connection.prepareQuery.bind(connection);
    connection.prepareQuery = (query, parameters) => {
      const prepared = prepareQuery(query, parameters);
      guard.prepare(prepared.query, prepared.params, prepared.formatted);
      return prepared;
    };
  }

  #closeByPasses(): void {
    const { connection } = this;
    const executeDump = connection.executeDump.bind(connection);
    connection.executeDump = async (dump) => {
      refuseOutsideSystemFrame('connection.executeDump()', 'it sends any statement, several at once');
      return executeDump(dump);
    };
    const getNativeClient = connection.getNativeClient.bind(connection);
    connection.getNativeClient = async () => {
      refuseOutsideSystemFrame('connection.getNativeClient()', 'the guard does not see what it sends');
      return getNativeClient();
    };
    this.#hideDatabase();
    this.#refuseForeignClients();
  }

  /** On SQLite the native handle is also a public field. */
  #hideDatabase(): void {
    if (!('database' in this.connection)) return;
    let database: unknown;
    Object.defineProperty(this.connection, 'database', {
      get: () => {
        refuseOutsideSystemFrame('connection.database', 'the guard does not see what it sends');
        return database;
      },
      set: (value: unknown) => {
        database = value;
      },
    });
  }

  /** A ready-made Kysely, or a pool that a hook keeps, would be a second way to the same rows. */
  #refuseForeignClients(): void {
    const { connection, config } = this;
    const given = connection.options.driverOptions ?? config.get('driverOptions');
    if (typeof given === 'function') {
      throw new OperationRefusedError(
        'driverOptions as a function',
        'what it gives cannot be looked at',
        'Give an object.',
      );
    }
    const isForeign = given && (['createDriver', 'executeQuery', 'onPoolCreated'] as const).some((key) => key in given);
    if (isForeign)
      refuseOutsideSystemFrame('driverOptions with a client or a pool hook', 'the guard does not see what it sends');
  }
}

function refuseOutsideSystemFrame(operation: string, because: string): void {
  if (findSystemFrame() !== undefined) return;
  throw new OperationRefusedError(
    operation,
    because,
    'Use em.execute() or em.getKysely(), or runInSystemFrame() in the kit itself.',
  );
}
