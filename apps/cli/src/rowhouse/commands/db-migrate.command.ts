import { DatabaseMigrator } from '#apps/api';
import type { CliCall, CliCommand } from '../cli-command.js';
import { MigrationFailedError } from '../migration-failed.error.js';
import { showStates } from './db-status.command.js';

/** Brings every database up to date, as a start does. Two at once do it one after the other. */
export const dbMigrateCommand: CliCommand = {
  noun: 'db',
  verb: 'migrate',
  summary: 'bring the central database, every shard and every place of a single tenant up to date',
  changes: true,
  async run(call: CliCall) {
    const { terminal, dryRun } = call;
    if (dryRun) {
      await showStates(call);
      return;
    }
    const migrator = (await call.app()).get(DatabaseMigrator);
    const migrated = await migrator.migrateAll();
    terminal.table(
      migrated.map(({ id, ran, error }) => ({ database: id, ran: ran.length, error: error && String(error) })),
    );
    const failed = migrated.filter(({ error }) => error !== undefined);
    if (failed.length > 0) throw new MigrationFailedError(failed.map(({ id }) => id));
  },
};
