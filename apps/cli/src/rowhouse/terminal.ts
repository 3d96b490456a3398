import { createInterface } from 'node:readline/promises';
import { UsageError } from './usage.error.js';

/** Where a command writes to and asks. The process' own streams, or a test's. */
export interface TerminalStreams {
  readonly stdin: NodeJS.ReadableStream & { isTTY?: boolean };
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

type Row = Readonly<Record<string, unknown>>;

/** Data goes to standard output, as text or with `--json` as JSON; messages for people go to standard error. */
export class Terminal {
  constructor(
    private readonly streams: TerminalStreams,
    private readonly options: { readonly json: boolean; readonly yes: boolean },
  ) {}

  /** A message for people: progress, a warning, the next step. */
  say(line: string): void {
    this.streams.stderr.write(`${line}\n`);
  }

  /** The result as one value: its properties a line each, or the JSON object. */
  object(value: Row): void {
    if (this.options.json) {
      this.#json(value);
      return;
    }
    const width = Math.max(0, ...Object.keys(value).map((name) => name.length));
    for (const [name, it] of Object.entries(value)) this.#line(`${name.padEnd(width)}  ${toText(it)}`);
  }

  /** The result as rows: an aligned table, or a JSON array. All rows have the columns of the first. */
  table(rows: readonly Row[]): void {
    if (this.options.json) this.#json(rows);
    else if (rows.length === 0) this.say('Nothing found.');
    else for (const line of aligned(rows)) this.#line(line);
  }

  /** Text as it is, such as generated code or exported lines; the same with and without `--json`. */
  text(text: string): void {
    this.streams.stdout.write(text);
  }

  /**
   * Asks before something that cannot be undone.
   * @throws {UsageError} when nobody is there to answer and `--yes` was not given
   */
  async confirm(question: string): Promise<boolean> {
    if (this.options.yes) return true;
    if (!this.streams.stdin.isTTY) throw new UsageError(`${question} Repeat the command with --yes to do it.`);
    const asking = createInterface({ input: this.streams.stdin, output: this.streams.stderr });
    const answer = await asking.question(`${question} [y/N] `);
    asking.close();
    return /^y(es)?$/i.test(answer.trim());
  }

  #json(value: unknown): void {
    this.#line(JSON.stringify(value, null, 2));
  }

  #line(line: string): void {
    this.streams.stdout.write(`${line}\n`);
  }
}

function toText(value: unknown): string {
  if (value === undefined || value === null) return '-';
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function aligned(rows: readonly Row[]): string[] {
  const columns = Object.keys(rows[0] ?? {});
  const lines = [columns, ...rows.map((row) => columns.map((name) => toText(row[name])))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => (line[index] ?? '').length)));
  return lines.map((line) =>
    line
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
