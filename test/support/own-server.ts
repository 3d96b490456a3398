import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A database server of a spec's own, gone when it is stopped or the process ends. */
export interface OwnServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts one; `undefined` where what brings it is not installed. @param settings  of PostgreSQL */
export async function startOwnServer(
  product: 'postgresql' | 'mariadb',
  ...settings: string[]
): Promise<OwnServer | undefined> {
  const script = fileURLToPath(new URL('../../libs/testing/jest/keep-server.mjs', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'rowhouse-own-'));
  // Where tests run as root, the server runs as somebody else.
  chmodSync(folder, 0o777);
  const server = spawn(process.execPath, [script, product, folder, ...settings], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const [line] = await once(createInterface(server.stdout), 'line');
  const { url, error = '' } = JSON.parse(line) as { url?: string; error?: string };
  if (/cannot find (package|module)|ENOENT/i.test(error)) return undefined;
  if (!url) throw new Error(error);
  return {
    url,
    async stop() {
      server.stdin.end();
      await once(server, 'exit');
    },
  };
}
