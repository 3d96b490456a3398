import type { CliCommand } from './cli-command.js';
import { configShowCommand } from './commands/config-show.command.js';
import { dbReflectCommand } from './commands/db-reflect.command.js';
import { domainAddCommand } from './commands/domain-add.command.js';
import { domainListCommand } from './commands/domain-list.command.js';
import { domainRemoveCommand } from './commands/domain-remove.command.js';
import { domainVerifyCommand } from './commands/domain-verify.command.js';

/** Everything `npm run rowhouse` can do, in the order of the help. */
export const commands: readonly CliCommand[] = [
  configShowCommand,
  dbReflectCommand,
  domainAddCommand,
  domainVerifyCommand,
  domainListCommand,
  domainRemoveCommand,
];
