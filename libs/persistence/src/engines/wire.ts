import { AsyncLocalStorage } from 'node:async_hooks';

/** Cuts a connection off without asking the server: what waits on it fails, and its pool forgets it. */
export type Cut = () => void;

/**
 * What may be done about a server that does not answer, on engines that are servers. Drivers wait for ever by default,
 * and a pool full of connections that wait is lost.
 */
export interface Wire {
  /** MikroORM's `driverOptions` that bound the opening of a connection. */
  openWithin(milliseconds: number): Record<string, unknown>;
  /**
   * Watches a driver's pool. The function it gives runs `checkOut`, which takes a connection from that pool, and tells
   * how to cut off what it got.
   */
  watch(pool: object): <T>(checkOut: () => Promise<T>) => Promise<{ readonly taken: T; readonly cut: Cut }>;
}

/** One check-out under way, and the driver's connection it gets. */
interface CheckOut<Client> {
  client?: Client;
}

type Checker = <T>(checkOut: () => Promise<T>) => Promise<{ readonly taken: T; readonly cut: Cut }>;

/**
 * A `Wire.watch` made of what differs between drivers.
 * @param intercept  calls `take` with each connection the pool gives, in the async context of who asked for it
 */
export function checkOutWatch<Client>(
  intercept: (take: (client: Client, checkOut: CheckOut<Client> | undefined) => void, current: Current<Client>) => void,
  cut: (client: Client) => void,
): Checker {
  const current = new AsyncLocalStorage<CheckOut<Client>>();
  intercept(
    (client, checkOut) => {
      if (checkOut) checkOut.client = client;
    },
    () => current.getStore(),
  );
  return async (checkOut) => {
    const own: CheckOut<Client> = {};
    const taken = await current.run(own, checkOut);
    return { taken, cut: () => own.client && cut(own.client) };
  };
}

/** The check-out that the current call belongs to. */
export type Current<Client> = () => CheckOut<Client> | undefined;
