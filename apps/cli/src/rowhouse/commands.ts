import type { CliCommand } from './cli-command.js';
import { auditCheckCommand } from './commands/audit-check.command.js';
import { auditEraseCommand } from './commands/audit-erase.command.js';
import { auditEraseAgainCommand } from './commands/audit-erase-again.command.js';
import { auditExportCommand } from './commands/audit-export.command.js';
import { auditKeysCommand } from './commands/audit-keys.command.js';
import { auditPurgeCommand } from './commands/audit-purge.command.js';
import { auditReconcileCommand } from './commands/audit-reconcile.command.js';
import { auditRevokeKeyCommand } from './commands/audit-revoke-key.command.js';
import { auditRotateKeyCommand } from './commands/audit-rotate-key.command.js';
import { auditVerifyCommand } from './commands/audit-verify.command.js';
import { auditWitnessCommand } from './commands/audit-witness.command.js';
import { configShowCommand } from './commands/config-show.command.js';
import { dbMakeCommand } from './commands/db-make.command.js';
import { dbMigrateCommand } from './commands/db-migrate.command.js';
import { dbReflectCommand } from './commands/db-reflect.command.js';
import { dbStatusCommand } from './commands/db-status.command.js';
import { domainAddCommand } from './commands/domain-add.command.js';
import { domainListCommand } from './commands/domain-list.command.js';
import { domainRemoveCommand } from './commands/domain-remove.command.js';
import { domainVerifyCommand } from './commands/domain-verify.command.js';
import { isolationVerifyCommand } from './commands/isolation-verify.command.js';
import { shardAddCommand } from './commands/shard-add.command.js';
import { shardDrainCommand } from './commands/shard-drain.command.js';
import { shardListCommand } from './commands/shard-list.command.js';
import { shardRebalanceCommand } from './commands/shard-rebalance.command.js';
import { slotMoveCommand } from './commands/slot-move.command.js';
import { slotShowCommand } from './commands/slot-show.command.js';
import { tenantCreateCommand } from './commands/tenant-create.command.js';
import { tenantListCommand } from './commands/tenant-list.command.js';
import { tenantMigrateCommand } from './commands/tenant-migrate.command.js';
import { tenantMoveCommand } from './commands/tenant-move.command.js';
import { tenantOrphansCommand } from './commands/tenant-orphans.command.js';
import { tenantPurgeCommand } from './commands/tenant-purge.command.js';
import {
  tenantActivateCommand,
  tenantArchiveCommand,
  tenantSuspendCommand,
} from './commands/tenant-status.commands.js';

/** Everything `npm run rowhouse` can do, in the order of the help. */
export const commands: readonly CliCommand[] = [
  auditCheckCommand,
  auditVerifyCommand,
  auditExportCommand,
  auditPurgeCommand,
  auditEraseCommand,
  auditEraseAgainCommand,
  auditKeysCommand,
  auditRotateKeyCommand,
  auditRevokeKeyCommand,
  configShowCommand,
  dbStatusCommand,
  dbMigrateCommand,
  dbMakeCommand,
  dbReflectCommand,
  auditWitnessCommand,
  auditReconcileCommand,
  tenantCreateCommand,
  tenantListCommand,
  tenantMigrateCommand,
  tenantMoveCommand,
  tenantSuspendCommand,
  tenantActivateCommand,
  tenantArchiveCommand,
  tenantPurgeCommand,
  tenantOrphansCommand,
  domainAddCommand,
  domainVerifyCommand,
  domainListCommand,
  domainRemoveCommand,
  shardListCommand,
  shardAddCommand,
  shardDrainCommand,
  shardRebalanceCommand,
  slotShowCommand,
  slotMoveCommand,
  isolationVerifyCommand,
];
