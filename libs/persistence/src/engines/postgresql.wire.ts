import { checkOutWatch, type Wire } from './wire.js';

/** The part of a pg client that reaches its socket. */
interface PgClient {
  readonly connection: { readonly stream: { destroy(): void } };
}

interface PgPool {
  connect(...args: unknown[]): Promise<PgClient>;
}

/** pg and pg-pool. */
export const postgresqlWire: Wire = {
  openWithin: (milliseconds) => ({ connectionTimeoutMillis: milliseconds }),
  watch(pool) {
    const watched = pool as PgPool;
    return checkOutWatch<PgClient>(
      (take, current) => {
        const connect = watched.connect.bind(watched);
        watched.connect = async (...args) => {
          const client = await connect(...args);
          take(client, current());
          return client;
        };
      },
      ({ connection }) => connection.stream.destroy(),
    );
  },
};
