import type { Configuration } from '@mikro-orm/core';
import type { AbstractSqlConnection } from '@mikro-orm/sql';
import { PersistenceError } from '../errors/persistence.error.js';
import { BranchKeeper } from './branch-keeper.js';
import type { DriverClass } from './engine.js';
import type { TransactionDialect } from './transaction-dialect.js';
import { TransactionKeeper } from './transaction-keeper.js';
import type { TwoPhaseDialect } from './two-phase-dialect.js';

/** `driver` with a `TransactionKeeper` on each of its connection pools, and below it a `BranchKeeper` where there are branches. */
export function withReliableTransactions(
  driver: DriverClass,
  dialect: TransactionDialect,
  twoPhase?: TwoPhaseDialect,
): DriverClass {
  return class ReliableDriver extends driver {
    constructor(config: Configuration) {
      super(config);
      for (const connection of [this.connection, ...this.replicas]) {
        if (twoPhase) new BranchKeeper(connection as AbstractSqlConnection, twoPhase).install();
        new TransactionKeeper(connection as AbstractSqlConnection, dialect).install();
      }
    }

    /** MikroORM wraps whatever a query throws; what we throw ourselves is no failure of the database. */
    override convertException(exception: Error): ReturnType<InstanceType<DriverClass>['convertException']> {
      if (exception instanceof PersistenceError) return exception as never;
      return super.convertException(exception);
    }
  };
}
