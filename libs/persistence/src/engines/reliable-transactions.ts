import type { Configuration, ConnectionType } from '@mikro-orm/core';
import type { AbstractSqlConnection } from '@mikro-orm/sql';
import { PersistenceError } from '../errors/persistence.error.js';
import { BranchKeeper } from './branch-keeper.js';
import type { DriverClass } from './engine.js';
import { keepForksOutOfEnvironment } from './forks-without-environment.js';
import { openOnePool } from './one-pool.js';
import { installPoolGates, type PoolGateOptions } from './pool-gate.js';
import { ReplicaReads } from './replica-reads.js';
import { StatementWatch } from './statement-watch.js';
import type { TransactionDialect } from './transaction-dialect.js';
import { installTransactionEnds } from './transaction-ends.js';
import { TransactionKeeper } from './transaction-keeper.js';
import type { TwoPhaseDialect } from './two-phase-dialect.js';
import { askUpdatesForWhatIsWanted } from './update-answers.js';

/**
 * `driver` with what every connection pool of ours has, innermost first: a gate that bounds how long one waits for it, that it is
 * one, a watch that can show its statements, a `BranchKeeper` where there are branches, a `TransactionKeeper`, and who tells of
 * the end of transactions.
 */
export function withReliableTransactions(
  driver: DriverClass,
  dialect: TransactionDialect,
  twoPhase?: TwoPhaseDialect,
): DriverClass {
  return class ReliableDriver extends driver {
    readonly #replicaReads: ReplicaReads | undefined;

    constructor(config: Configuration) {
      super(config);
      keepForksOutOfEnvironment(config);
      const connections = [this.connection, ...this.replicas] as AbstractSqlConnection[];
      askUpdatesForWhatIsWanted(this);
      installPoolGates(this, connections, (config.get('pool') ?? {}) as PoolGateOptions);
      for (const connection of connections) {
        openOnePool(connection);
        new StatementWatch(connection, config.get('contextName'), dialect.escapesBackslash).install();
        if (twoPhase) new BranchKeeper(connection, twoPhase).install();
        new TransactionKeeper(connection, dialect).install();
        installTransactionEnds(connection);
      }
      this.#replicaReads = ReplicaReads.install(this, connections);
    }

    /** `read` is what may go to a replica, and does so where the context allows it. */
    override getConnection(type: ConnectionType = 'write'): ReturnType<InstanceType<DriverClass>['getConnection']> {
      // MikroORM asks for connections while it is being constructed.
      const replicaReads = #replicaReads in this ? this.#replicaReads : undefined;
      return type === 'read' && replicaReads ? (replicaReads.choose() as never) : super.getConnection();
    }

    /** MikroORM wraps whatever a query throws; what we throw ourselves is no failure of the database. */
    override convertException(exception: Error): ReturnType<InstanceType<DriverClass>['convertException']> {
      if (exception instanceof PersistenceError) return exception as never;
      return super.convertException(exception);
    }
  };
}
