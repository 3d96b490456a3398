import { Command, CommanderError } from 'commander';
import { type AppConfig, createAppContext } from '#apps/api';
import { runInContext } from '#libs/context';
import type { CliCall, CliCommand } from './cli-command.js';
import { Terminal, type TerminalStreams } from './terminal.js';
import { UsageError } from './usage.error.js';

/** Exit codes are part of the contract. */
const DONE = 0;
const FAILED = 1;
const WRONG_USAGE = 2;

/** What the command line reaches the outside by. */
export interface CliOutside extends TerminalStreams {
  /** @throws {ConfigError} */
  loadConfig(): AppConfig;
}

/**
 * Runs one command line.
 * @param args  what follows the name of the program
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage
 */
export async function runCli(
  commands: readonly CliCommand[],
  args: readonly string[],
  outside: CliOutside,
): Promise<number> {
  const program = describeProgram(commands, outside);
  try {
    await program.parseAsync(args, { from: 'user' });
    return DONE;
  } catch (error) {
    return report(error, outside);
  }
}

function describeProgram(commands: readonly CliCommand[], outside: CliOutside): Command {
  const program = withOutput(new Command('rowhouse'), outside).description('Operates a Rowhouse installation.');
  program.showSuggestionAfterError().showHelpAfterError('Add --help to see what there is.');
  const nouns = new Map<string, Command>();
  for (const it of commands) {
    const noun = nouns.get(it.noun) ?? program.command(it.noun).description(`commands of ${it.noun}`);
    nouns.set(it.noun, noun);
    describeCommand(noun.command(it.verb), it, outside);
  }
  return program;
}

/** Commander ends the process by itself unless told to throw. Subcommands copy these settings. */
function withOutput(program: Command, { stdout, stderr }: CliOutside): Command {
  return program.exitOverride().configureOutput({
    writeOut: (text) => stdout.write(text),
    writeErr: (text) => stderr.write(text),
  });
}

function describeCommand(command: Command, it: CliCommand, outside: CliOutside): void {
  command.description(it.summary).option('--json', 'print the result as JSON');
  if (it.changes) {
    command.option('--dry-run', 'say what would be done, and do nothing').option('--yes', 'do not ask');
  }
  it.configure?.(command);
  command.action(() => runCommand(it, command, outside));
}

async function runCommand(it: CliCommand, command: Command, outside: CliOutside): Promise<void> {
  const options = command.opts();
  const terminal = new Terminal(outside, { json: options.json === true, yes: options.yes === true });
  let config: AppConfig | undefined;
  let opened: ReturnType<typeof createAppContext> | undefined;
  const call: CliCall = {
    args: command.processedArgs,
    options,
    dryRun: options.dryRun === true,
    terminal,
    config: () => (config ??= outside.loadConfig()),
    app: () => (opened ??= createAppContext(call.config())),
  };
  const name = `rowhouse ${it.noun} ${it.verb}`;
  try {
    await runInContext({ actor: { id: name, type: 'system' }, route: name }, () => it.run(call));
  } finally {
    const app = await opened?.catch(() => undefined);
    await app?.close();
  }
}

/** Known failures are one clear message; the unknown keep their stack. */
function report(error: unknown, { stderr }: CliOutside): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : WRONG_USAGE;
  if (!(error instanceof Error)) throw error;
  const isKnown = 'code' in error && typeof error.code === 'string';
  stderr.write(`${isKnown ? error.message : error.stack}\n`);
  return error instanceof UsageError ? WRONG_USAGE : FAILED;
}
