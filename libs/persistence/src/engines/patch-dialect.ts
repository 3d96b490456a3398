import type { AbstractSqlConnection } from '@mikro-orm/sql';
import type { Dialect, Driver } from 'kysely';

/** Lets `patch` change the Kysely dialect of a connection, each time one is made. Call before the connection opens. */
export function patchDialect(connection: AbstractSqlConnection, patch: (dialect: Dialect) => void): void {
  const createDialect = connection.createKyselyDialect.bind(connection);
  const patched = (dialect: Dialect): Dialect => {
    patch(dialect);
    return dialect;
  };
  // mysql and mariadb answer with a promise, the others at once.
  connection.createKyselyDialect = ((options: never) => {
    const made = createDialect(options) as Dialect | Promise<Dialect>;
    return made instanceof Promise ? made.then(patched) : patched(made);
  }) as typeof connection.createKyselyDialect;
}

/** `patchDialect` for the driver alone. */
export function patchDriver(connection: AbstractSqlConnection, patch: (driver: Driver) => void): void {
  patchDialect(connection, (dialect) => {
    const createDriver = dialect.createDriver.bind(dialect);
    dialect.createDriver = () => {
      const driver = createDriver();
      patch(driver);
      return driver;
    };
  });
}
