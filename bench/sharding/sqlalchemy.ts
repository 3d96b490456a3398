import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const call = promisify(execFile);

/** Debian's interpreter: its package of SQLAlchemy is visible to no other. */
const PYTHON = '/usr/bin/python3';
const SCRIPT = process.env.SQLALCHEMY_BENCH ?? '../shared/bench/sqlalchemy_shard.py';

/** Samples that are looked at: those before and after what they are compared with. */
const RECENT = 3;

/** Whether SQLAlchemy and the script are there; without them ours is compared with the driver alone. */
export async function hasSqlAlchemy(): Promise<boolean> {
  if (!existsSync(SCRIPT)) return false;
  return call(PYTHON, ['-W', 'ignore', '-c', 'import sqlalchemy']).then(
    () => true,
    () => false,
  );
}

/** SQLAlchemy's times, taken again and again between our own: both meet the same slow moments of the machine. */
export class SqlAlchemyClock {
  readonly #samples: Sample[] = [];

  get version(): string {
    return this.#samples[0]?.sqlalchemy ?? '?';
  }

  /** Runs the whole script, `runs` times after one that is not counted, in the journal mode of our own databases. */
  async sample(runs: number): Promise<void> {
    const options = ['-W', 'ignore', SCRIPT, '--runs', String(runs), '--journal', 'wal'];
    const { stdout } = await call(PYTHON, options, { maxBuffer: 1 << 24 });
    this.#samples.push(JSON.parse(stdout) as Sample);
  }

  /** Milliseconds of a row in the sample before last, the last, …: `turn` goes round. */
  of(row: string, turn: number): number {
    const recent = this.#samples.slice(-RECENT);
    const { median_ms: milliseconds } = recent[turn % recent.length]?.results[row] ?? {};
    if (milliseconds === undefined) throw new Error(`The script does not measure "${row}".`);
    return milliseconds;
  }
}

interface Sample {
  readonly sqlalchemy: string;
  readonly results: Readonly<Record<string, { readonly median_ms: number } | undefined>>;
}
