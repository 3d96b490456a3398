import type { Configuration } from '@mikro-orm/core';
import type { AbstractSqlConnection } from '@mikro-orm/sql';
import { PersistenceError } from '../errors/persistence.error.js';
import type { DriverClass } from './engine.js';
import type { TransactionDialect } from './transaction-dialect.js';
import { TransactionKeeper } from './transaction-keeper.js';

/** `driver` with a `TransactionKeeper` on each of its connection pools. */
export function withReliableTransactions(driver: DriverClass, dialect: TransactionDialect): DriverClass {
  return class ReliableDriver extends driver {
    constructor(config: Configuration) {
      super(config);
      for (const connection of [this.connection, ...this.replicas]) {
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
