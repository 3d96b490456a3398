import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The launcher, and what decides how the application is compiled: everything `npm start` needs but the application. */
const LAUNCHER_FILES = [
  'apps/cli/launcher',
  'apps/api/tsconfig.app.json',
  'package.json',
  'nest-cli.json',
  '.swcrc',
  'tsconfig.json',
];

/** How a command of a scratch project ended. */
export interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command of a scratch project that is still running. */
export interface Running {
  /** Resolves once stdout holds `text`; rejects when the command ends before. */
  printed(text: string): Promise<void>;
  /** What a terminal does on Ctrl-C: the signal goes to the whole foreground group, npm included. */
  pressCtrlC(): void;
  readonly process: ChildProcess;
  readonly ended: Promise<Ending>;
}

/** A folder with this repository's launcher and package scripts, and an application or packages of the test's own. */
export class ScratchProject {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'rowhouse-launcher-')));

  constructor() {
    for (const file of LAUNCHER_FILES) this.copy(file);
  }

  /** Takes a file or folder over from this repository. */
  copy(path: string): void {
    cpSync(path, join(this.root, path), { recursive: true });
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /** Changes package.json in place; the scripts stay those of the repository. */
  editPackage(change: (content: Record<string, unknown>) => void): void {
    const content = JSON.parse(this.read('package.json'));
    change(content);
    this.write('package.json', JSON.stringify(content));
  }

  start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
    // A group of its own, so that Ctrl-C can be played without reaching jest.
    const child = spawn(command, args, { cwd: this.root, env: { ...process.env, ...env }, detached: true });
    const seen = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      seen.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      seen.stderr += text;
    });
    const ended = once(child, 'close').then(([code]): Ending => ({ code, ...seen }));
    return {
      process: child,
      ended,
      pressCtrlC: () => process.kill(-Number(child.pid), 'SIGINT'),
      printed: async (text) => {
        let over = false;
        const end = ended.then(() => {
          over = true;
        });
        while (!seen.stdout.includes(text)) {
          if (over) throw new Error(`"${text}" was never printed:\n${seen.stdout}${seen.stderr}`);
          await Promise.race([once(child.stdout, 'data'), end]);
        }
      },
    };
  }

  run(command: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ending> {
    return this.start(command, args, env).ended;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
