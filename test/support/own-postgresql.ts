import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A PostgreSQL server of a spec's own, gone when it is stopped or the process ends. */
export interface OwnPostgresql {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts one with these settings; `undefined` where the package that brings it is missing. */
export async function startOwnPostgresql(...settings: string[]): Promise<OwnPostgresql | undefined> {
  const script = fileURLToPath(new URL('../../libs/testing/jest/keep-server.mjs', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'rowhouse-own-'));
  // Where tests run as root, the server runs as somebody else.
  chmodSync(folder, 0o777);
  const server = spawn(process.execPath, [script, 'postgresql', folder, ...settings], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const [line] = await once(createInterface(server.stdout), 'line');
  const { url, error = '' } = JSON.parse(line) as { url?: string; error?: string };
  if (/cannot find (package|module)/i.test(error)) return undefined;
  if (!url) throw new Error(error);
  return {
    url,
    async stop() {
      server.stdin.end();
      await once(server, 'exit');
    },
  };
}
