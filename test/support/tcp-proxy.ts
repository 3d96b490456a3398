import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';

/** Stands between a client and a server, and can lose either. */
export class TcpProxy {
  readonly #pairs = new Set<readonly [client: Socket, server: Socket]>();
  #listener: Server | undefined;
  #isSilent = false;
  #port = 0;

  private constructor(private readonly target: { readonly host: string; readonly port: number }) {}

  /** A proxy in front of the server behind `url`. */
  static async before(url: string): Promise<TcpProxy> {
    const { hostname, port } = new URL(url);
    const proxy = new TcpProxy({ host: hostname, port: Number(port) });
    await proxy.start();
    return proxy;
  }

  /** `url` through this proxy. */
  through(url: string): string {
    const changed = new URL(url);
    changed.hostname = '127.0.0.1';
    changed.port = String(this.#port);
    return changed.href;
  }

  /** Connections open at this moment. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Accepts connections, again on the same port. */
  async start(): Promise<void> {
    this.#listener = createServer((client) => this.#join(client)).listen(this.#port, '127.0.0.1');
    await once(this.#listener, 'listening');
    this.#port = (this.#listener.address() as AddressInfo).port;
  }

  /** The server is gone: open connections break, new ones are refused. */
  async stop(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    if (!listener) return;
    const closed = once(listener, 'close');
    listener.close();
    this.cut();
    await closed;
  }

  /** Breaks the open connections; new ones are welcome. */
  cut(): void {
    for (const [client, server] of this.#pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
  }

  /** Accepts, takes what is sent, and never answers. */
  hang(): void {
    this.#isSilent = true;
    for (const [client, server] of this.#pairs) {
      client.unpipe(server);
      server.unpipe(client);
      // Read and dropped: a socket that is not read would not notice its other end.
      client.resume();
      server.pause();
    }
  }

  /** Answers those who come from now on. What was sent to a silent server stays without an answer. */
  answerAgain(): void {
    this.#isSilent = false;
  }

  #join(client: Socket): void {
    const server = dial(this.target);
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#pairs.delete(pair);
        client.destroy();
        server.destroy();
      });
    }
    if (this.#isSilent) {
      client.resume();
      server.pause();
      return;
    }
    client.pipe(server);
    server.pipe(client);
  }
}
