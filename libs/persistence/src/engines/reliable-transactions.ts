import type { Configuration } from '@mikro-orm/core';
import type { AbstractSqlConnection } from '@mikro-orm/sql';
import { PersistenceError } from '../errors/persistence.error.js';
import { BranchKeeper } from './branch-keeper.js';
import type { DriverClass } from './engine.js';
import { installPoolGates, type PoolGateOptions } from './pool-gate.js';
import { StatementWatch } from './statement-watch.js';
import type { TransactionDialect } from './transaction-dialect.js';
import { TransactionKeeper } from './transaction-keeper.js';
import type { TwoPhaseDialect } from './two-phase-dialect.js';

/**
 * `driver` with what every connection pool of ours has, innermost first: a gate that bounds how long one waits for it, a watch
 * that can show its statements, a `BranchKeeper` where there are branches, and a `TransactionKeeper`.
 */
export function withReliableTransactions(
  driver: DriverClass,
  dialect: TransactionDialect,
  twoPhase?: TwoPhaseDialect,
): DriverClass {
  return class ReliableDriver extends driver {
    constructor(config: Configuration) {
      super(config);
      const connections = [this.connection, ...this.replicas] as AbstractSqlConnection[];
      installPoolGates(this, connections, (config.get('pool') ?? {}) as PoolGateOptions);
      for (const connection of connections) {
        new StatementWatch(connection, config.get('contextName'), dialect.escapesBackslash).install();
        if (twoPhase) new BranchKeeper(connection, twoPhase).install();
        new TransactionKeeper(connection, dialect).install();
      }
    }

    /** MikroORM wraps whatever a query throws; what we throw ourselves is no failure of the database. */
    override convertException(exception: Error): ReturnType<InstanceType<DriverClass>['convertException']> {
      if (exception instanceof PersistenceError) return exception as never;
      return super.convertException(exception);
    }
  };
}
