import { checkOutWatch, type Wire } from './wire.js';

/** A connection of a mysql2 pool. */
interface MysqlClient {
  readonly stream: { destroy(): void };
}

type Callback = (error: Error | null, client: MysqlClient) => void;

interface MysqlPool {
  getConnection(callback: Callback): void;
}

/** mysql2, which serves MySQL and MariaDB. */
export const mysqlWire: Wire = {
  openWithin: (milliseconds) => ({ connectTimeout: milliseconds }),
  watch(pool) {
    const watched = pool as MysqlPool;
    return checkOutWatch<MysqlClient>(
      (take, current) => {
        const getConnection = watched.getConnection.bind(watched);
        watched.getConnection = (callback) => {
          // The callback may run in the context of whoever gave the connection back.
          const checkOut = current();
          getConnection((error, client) => {
            if (client) take(client, checkOut);
            callback(error, client);
          });
        };
      },
      // The client's own `destroy()` would leave a statement under way waiting for ever.
      ({ stream }) => stream.destroy(),
    );
  },
};
