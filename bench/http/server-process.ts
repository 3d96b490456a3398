import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { fileURLToPath } from 'node:url';

/** What a server says once it listens: where, and what to ask it for. */
export interface Listening {
  readonly port: number;
  readonly path: string;
  readonly token: string;
  /** Facts for servers started later. */
  readonly facts: Readonly<Record<string, string>>;
}

const CONNECTIONS = 16;

/** A server in a process of its own, so that its CPU time is its own. */
export class ServerProcess {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

  private constructor(
    private readonly child: ChildProcess,
    readonly listening: Listening,
  ) {}

  /** @param script beside this file; it says `Listening` and answers any message with its CPU time in milliseconds */
  static async start(script: string, environment: Record<string, string>): Promise<ServerProcess> {
    const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
    const child = fork(file(script), {
      execArgv: [
        '--conditions=source',
        '--disable-warning=ExperimentalWarning',
        '--import',
        file('../source-hooks.mjs'),
      ],
      env: { ...process.env, ...environment },
    });
    const [listening] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => Promise.reject(new Error(`${script} ended before it listened`))),
    ]);
    return new ServerProcess(child, listening);
  }

  async cpuMs(): Promise<number> {
    const answer = once(this.child, 'message');
    this.child.send('cpu');
    return (await answer)[0];
  }

  /** Asks `count` times over 16 connections. @returns the server's CPU time for it */
  async askFor(count: number): Promise<number> {
    const before = await this.cpuMs();
    let left = count;
    const askInTurn = async () => {
      while (left-- > 0) await this.#ask();
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, askInTurn));
    return (await this.cpuMs()) - before;
  }

  /** Sends `body` as the owner. @returns the answer, parsed */
  async post(path: string, contentType: string, body: string): Promise<unknown> {
    const { port, token } = this.listening;
    const headers = { 'content-type': contentType, authorization: `Bearer ${token}` };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body });
    return response.json();
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    this.child.kill('SIGTERM');
    await once(this.child, 'exit');
  }

  /** One request. @throws unless it is answered with 200 */
  #ask(): Promise<string> {
    const { port, path, token } = this.listening;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    get({ agent: this.#agent, port, path, headers: { authorization: `Bearer ${token}` } }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () =>
        response.statusCode === 200 ? resolve(body) : reject(new Error(`${path} answered ${response.statusCode}`)),
      );
    }).on('error', reject);
    return promise;
  }

  /** What the server answers, without what may differ between servers. */
  async answer(): Promise<unknown> {
    return JSON.parse(await this.#ask());
  }
}
