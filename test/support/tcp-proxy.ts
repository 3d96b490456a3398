import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';

/** When something happens: before the server is sent what it is about, or when it has answered and the client has not heard it. */
export type Moment = 'before' | 'after';

/** Waits for something a client sends. */
interface Trap {
  readonly text: RegExp;
  readonly moment: Moment;
  readonly spring: () => void;
}

/** Two ends of one connection. */
class Pair {
  /** Nothing passes any more. */
  isSilent = false;
  /** Waits for the next answer. */
  trap: Trap | undefined;

  constructor(
    readonly client: Socket,
    readonly server: Socket,
  ) {}
}

/** Stands between a client and a server, and can lose either. */
export class TcpProxy {
  readonly #pairs = new Set<Pair>();
  #listener: Server | undefined;
  #trap: Trap | undefined;
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
    for (const { client, server } of this.#pairs) {
      // One that has ended already cannot be reset: its handle would stay open for good.
      if (client.writableEnded) client.destroy();
      else client.resetAndDestroy();
      server.destroy();
    }
  }

  /** Accepts, takes what is sent, and never answers. */
  hang(): void {
    this.#isSilent = true;
    for (const pair of this.#pairs) pair.isSilent = true;
  }

  /**
   * Once, when a client sends something that `text` matches: runs `spring` and passes nothing more of it on. What is sent
   * is read as it is: SQL stands in it in clear.
   */
  trap(text: RegExp, moment: Moment, spring: () => void): void {
    this.#trap = { text, moment, spring };
  }

  /** Whether a trap waits still. */
  get isArmed(): boolean {
    return this.#trap !== undefined || [...this.#pairs].some(({ trap }) => trap !== undefined);
  }

  /** Takes away a trap that nothing ran into. */
  disarm(): void {
    this.#trap = undefined;
    for (const pair of this.#pairs) pair.trap = undefined;
  }

  /** Answers those who come from now on. What was sent to a silent server stays without an answer. */
  answerAgain(): void {
    this.#isSilent = false;
  }

  #join(client: Socket): void {
    const server = dial(this.target);
    const pair = new Pair(client, server);
    pair.isSilent = this.#isSilent;
    this.#pairs.add(pair);
    for (const socket of [client, server]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#pairs.delete(pair);
        client.destroy();
        server.destroy();
      });
    }
    // What comes to a silent pair is read and dropped: a socket that is not read would not notice its other end.
    client.on('data', (chunk) => {
      if (!pair.isSilent && !this.#holds(pair, chunk)) pass(chunk, client, server);
    });
    server.on('data', (chunk) => {
      const { trap } = pair;
      pair.trap = undefined;
      if (trap) trap.spring();
      else if (!pair.isSilent) pass(chunk, server, client);
    });
  }

  /** Whether what a client sends is kept from the server. */
  #holds(pair: Pair, chunk: Buffer): boolean {
    const trap = this.#trap;
    if (!trap?.text.test(chunk.toString('latin1'))) return false;
    this.#trap = undefined;
    if (trap.moment === 'before') trap.spring();
    else pair.trap = trap;
    return trap.moment === 'before';
  }
}

function pass(chunk: Buffer, from: Socket, to: Socket): void {
  if (to.write(chunk)) return;
  from.pause();
  to.once('drain', () => from.resume());
}
