import { describe, it } from '@jest/globals';
import type { EngineName } from '#libs/persistence';
import { getTestRun } from './test-run.js';

/** An engine that this run can reach. */
export interface TestEngine {
  readonly name: EngineName;
  /** Product and version, such as `PostgreSQL 18.4` or `mysql driver on MariaDB 10.11.6`. */
  readonly label: string;
  /** Server (or folder, on sqlite) in which test databases are made. */
  readonly serverUrl: string;
}

/** Every engine this run can reach, in the order of the matrix. */
export function reachableEngines(): TestEngine[] {
  return Object.entries(getTestRun().engines).flatMap(([name, { url, label }]) =>
    url && label ? [{ name: name as EngineName, label, serverUrl: url }] : [],
  );
}

/**
 * Declares the cases of `declareCases` once per reachable engine, under the title `on <engine>`. The matrix after the run
 * counts by that title. An engine out of reach becomes one skipped case that says why; with `REQUIRE_ENGINES` it has
 * already failed the run.
 *
 * @param only  engines that can express the cases at all; default all. Say in the suite why others cannot.
 *
 * @example
 * eachEngine((engine) => {
 *   const database = aDatabase(engine, shopModel);
 *   it('finds what was saved', async () => { const em = database.fork(); … });
 * });
 */
export function eachEngine(declareCases: (engine: TestEngine) => void, only?: readonly EngineName[]): void {
  const { engines } = getTestRun();
  const reachable = reachableEngines();
  for (const name of Object.keys(engines) as EngineName[]) {
    if (only && !only.includes(name)) continue;
    const engine = reachable.find((candidate) => candidate.name === name);
    if (engine) describe(`on ${name}`, () => declareCases(engine));
    else it.skip(`on ${name}: not covered, ${engines[name].reason}`, () => {});
  }
}
