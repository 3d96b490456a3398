import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const call = promisify(execFile);

/** Debian's interpreter: its package of SQLAlchemy is visible to no other. */
const PYTHON = '/usr/bin/python3';
const SCRIPT = process.env.SQLALCHEMY_BENCH ?? '../shared/bench/sqlalchemy_shard.py';

/** Milliseconds by row of SQLAlchemy's `ShardedSession`, medians of one run of the script. */
export interface SqlAlchemyTimes {
  readonly version: string;
  of(row: string): number;
}

/** Whether SQLAlchemy and the script are there; without them ours is compared with the driver alone. */
export async function hasSqlAlchemy(): Promise<boolean> {
  if (!existsSync(SCRIPT)) return false;
  return call(PYTHON, ['-W', 'ignore', '-c', 'import sqlalchemy']).then(
    () => true,
    () => false,
  );
}

/** Runs the whole script, in the journal mode of our own databases. */
export async function runSqlAlchemy(runs: number): Promise<SqlAlchemyTimes> {
  const options = ['-W', 'ignore', SCRIPT, '--runs', String(runs), '--journal', 'wal'];
  const { stdout } = await call(PYTHON, options, { maxBuffer: 1 << 24 });
  const { sqlalchemy, results } = JSON.parse(stdout) as {
    sqlalchemy: string;
    results: Record<string, { median_ms: number } | undefined>;
  };
  return {
    version: sqlalchemy,
    of(row) {
      const { median_ms: milliseconds } = results[row] ?? {};
      if (milliseconds === undefined) throw new Error(`The script does not measure "${row}".`);
      return milliseconds;
    },
  };
}
