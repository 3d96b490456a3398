// After the last test: drops what suites left behind, stops what was started.
import { rmSync } from 'node:fs';
import { dropDatabases } from './servers.mjs';

export default async function tearDown() {
  const { run, folder, found, stops } = globalThis.rowhouseTestRun;
  for (const engine of ['postgresql', 'mariadb', 'mysql']) {
    if (found[engine].url) await dropDatabases(engine, found[engine].url, run);
  }
  await Promise.all(stops.map((stop) => stop()));
  rmSync(folder, { recursive: true, force: true });
}
