import { loadConfig } from '#apps/api';
import { commands } from './commands.js';
import { runCli } from './run-cli.js';

const { stdin, stdout, stderr } = process;
process.exitCode = await runCli(commands, process.argv.slice(2), { stdin, stdout, stderr, loadConfig });
