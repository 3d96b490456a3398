// Before the first test: finds the engines, says so to every worker (environment variable), refuses to go on without
// those that REQUIRE_ENGINES names.

import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENGINES, findEngines } from './find-engines.mjs';
import { dropDatabases, PREFIX, removeStaleFolders } from './servers.mjs';

function requireEngines(found) {
  const required = process.env.REQUIRE_ENGINES?.split(',').map((name) => name.trim()) ?? [];
  const missing = required.filter((name) => !found[name]?.url);
  if (missing.length === 0) return;
  const reasons = missing.map((name) => `  ${name}: ${found[name]?.reason ?? `unknown engine, known are ${ENGINES}`}`);
  throw new Error(`REQUIRE_ENGINES names engines that this run cannot reach:\n${reasons.join('\n')}`);
}

export default async function setUp() {
  const run = `${Date.now().toString(36)}x${randomBytes(3).toString('hex')}`;
  const folder = join(tmpdir(), PREFIX + run);
  mkdirSync(folder);
  // Ctrl-C skips the teardown, but not this.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const [signal, number] of Object.entries({ SIGINT: 2, SIGTERM: 15 })) {
    process.once(signal, () => process.exit(128 + number));
  }
  removeStaleFolders();
  const stops = [];
  try {
    await prepare(run, folder, stops);
  } catch (error) {
    await Promise.all(stops.map((stop) => stop()));
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function prepare(run, folder, stops) {
  const found = await findEngines(folder, stops);
  // Kept for the teardown, which runs in this process.
  globalThis.rowhouseTestRun = { run, folder, found, stops };
  process.env.ROWHOUSE_TEST_RUN = JSON.stringify({ run, folder, engines: found });
  requireEngines(found);
  for (const engine of ['postgresql', 'mariadb', 'mysql']) {
    if (found[engine].url) await dropDatabases(engine, found[engine].url, run);
  }
}
