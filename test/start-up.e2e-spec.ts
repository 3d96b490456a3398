import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

/** A start of the built application, as `npm start` does it once everything is installed. */
class Start {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  output = '';

  constructor(environment: Record<string, string>) {
    this.#child = spawn(process.execPath, ['apps/cli/launcher/start.mjs'], {
      env: { ...process.env, LOG_LEVEL: 'warn', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#closed = once(this.#child, 'close');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk) => {
        this.output += chunk;
      });
    }
  }

  /** The URL it listens on. */
  async listening(): Promise<string> {
    while (!/Rowhouse listens on http/.test(this.output)) {
      if (this.#child.exitCode !== null) throw new Error(`It ended with ${this.#child.exitCode}:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return /listens on (http\S+)/.exec(this.output)?.[1] ?? '';
  }

  /** The exit code, after `signal` if one is given; `null` when a signal ended it. */
  async exitCode(signal?: NodeJS.Signals): Promise<number | null> {
    if (signal) this.#child.kill(signal);
    await this.#closed;
    return this.#child.exitCode;
  }
}

async function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const init = {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  };
  return (await fetch(url, init)).json() as Promise<Record<string, string>>;
}

describe('a start of the built application', () => {
  let folder: string;
  let started: Start[];
  const start = (environment: Record<string, string> = {}) => {
    const begun = new Start({ DATA_DIR: join(folder, 'data'), PORT: '0', ...environment });
    started.push(begun);
    return begun;
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rowhouse-start-'));
    started = [];
  });
  afterEach(async () => {
    await Promise.all(started.map((it) => it.exitCode('SIGKILL')));
    rmSync(folder, { recursive: true, force: true });
  });

  it('prints where it listens, the demo logins and three lines to paste; keeps the data; ends with 0 on Ctrl-C', async () => {
    const first = start();
    const url = await first.listening();
    expect(first.output).toMatch(/owner@acme\.example +acme-demo-password/);
    expect(first.output.match(/^[^\n]*curl -s /gm)).toHaveLength(3);
    const login = { email: 'owner@acme.example', password: 'acme-demo-password' };
    const authorization = `Bearer ${(await post(`${url}/v1/auth/login`, login)).accessToken}`;
    const book = { type: 'book', sku: 'kept', name: 'Kept', price: { amount: 1, currency: 'EUR' }, isbn: '1' };
    const { id } = await post(`${url}/v1/products`, book, { authorization });
    expect(await first.exitCode('SIGINT')).toBe(0);

    const second = start();
    const secondUrl = await second.listening();
    expect(second.output).not.toMatch(/migration|products on/);
    const read = await fetch(`${secondUrl}/v1/products/${id}`, { headers: { authorization } });
    expect(await read.json()).toMatchObject({ id, sku: 'kept' });
    expect(await second.exitCode('SIGTERM')).toBe(0);
  }, 60_000);

  it('says in one line that the port is taken, and ends', async () => {
    const other: Server = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const refused = start({ PORT: String(port), SEED_DEMO: 'false' });
    expect(await refused.exitCode()).toBe(1);
    expect(refused.output).toMatch(new RegExp(`PORT: ${port} is in use; .*PORT=${port + 1}`));
    expect(refused.output).not.toMatch(/\n\s+at /);
    other.close();
  }, 60_000);

  it('says in one line that the data folder cannot be written, and ends', async () => {
    // A file where the folder should be: nobody can write into that, not even root.
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const refused = start({ DATA_DIR: join(file, 'data') });
    expect(await refused.exitCode()).toBe(1);
    expect(refused.output).toMatch(/DATA_DIR: the folder ".*" cannot be written \(ENOTDIR\)/);
    expect(refused.output).not.toMatch(/\n\s+at /);
  }, 60_000);

  it('lists every problem of the configuration at once, and ends', async () => {
    const refused = start({ NODE_ENV: 'production', PORT: 'x', LOG_LEVEL: 'loud' });
    expect(await refused.exitCode()).toBe(1);
    expect(refused.output.match(/^ {2}\w+: /gm)).toEqual(['  PORT: ', '  LOG_LEVEL: ', '  JWT_SECRET: ']);
  }, 60_000);
});
