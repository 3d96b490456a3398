import type { CliCommand } from './cli-command.js';
import { configShowCommand } from './commands/config-show.command.js';
import { dbReflectCommand } from './commands/db-reflect.command.js';

/** Everything `npm run rowhouse` can do, in the order of the help. */
export const commands: readonly CliCommand[] = [configShowCommand, dbReflectCommand];
