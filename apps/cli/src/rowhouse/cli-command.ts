import type { INestApplicationContext } from '@nestjs/common';
import type { Command } from 'commander';
import type { AppConfig } from '#apps/api';
import type { Terminal } from './terminal.js';

/** One `npm run rowhouse -- <noun> <verb>`. */
export interface CliCommand {
  /** What the command is about: `tenant`, `shard`, `db`, `audit`. Commands of one noun are listed together. */
  readonly noun: string;
  /** What it does to it. */
  readonly verb: string;
  /** One line of the help, in the imperative, without a full stop. */
  readonly summary: string;
  /** Whether it changes anything: it then takes `--dry-run` and `--yes`. Default: it only reads. */
  readonly changes?: boolean;
  /** Declares arguments and options of its own, in commander's words. */
  configure?(command: Command): void;
  /**
   * Does the work. An error that is thrown is reported on standard error and ends the process with 1, `UsageError` with 2.
   * Runs in a context whose actor is the command itself, for no tenant: use `runAs` for one.
   */
  run(call: CliCall): Promise<void>;
}

/** One call of a command. */
export interface CliCall {
  /** Positional arguments, as declared. */
  readonly args: readonly (string | undefined)[];
  /** Options by their camel-case name, as declared. */
  readonly options: Readonly<Record<string, unknown>>;
  /** `--dry-run`: say what would be done, and do nothing. */
  readonly dryRun: boolean;
  readonly terminal: Terminal;
  /** The configuration of this process. @throws {ConfigError} */
  config(): AppConfig;
  /** The application without HTTP; opened at the first call and closed when the command ends. */
  app(): Promise<INestApplicationContext>;
}
