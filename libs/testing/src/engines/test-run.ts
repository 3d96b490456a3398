import type { EngineName } from '#libs/persistence';

/** One engine as this test run has found it. */
interface FoundEngine {
  /** Where databases are made: a server, or on sqlite a folder. Absent when the engine is not covered. */
  readonly url?: string;
  /** Product and version, honestly: the mysql driver on a MariaDB server says so. */
  readonly label?: string;
  /** Why the engine is not covered. */
  readonly reason?: string;
}

/** What the global set-up tells every worker. */
export interface TestRun {
  /** Part of the name of everything this run makes, so that it can be found and dropped. */
  readonly run: string;
  /** Holds embedded databases; removed after the run. */
  readonly folder: string;
  readonly engines: Readonly<Record<EngineName, FoundEngine>>;
}

/** The current test run. Known when a spec file is loaded, since `describe` blocks are declared synchronously. */
export function getTestRun(): TestRun {
  const { ROWHOUSE_TEST_RUN } = process.env;
  if (!ROWHOUSE_TEST_RUN)
    throw new Error('This is no test run: start it with "npm test", which finds the engines first.');
  return JSON.parse(ROWHOUSE_TEST_RUN) as TestRun;
}
