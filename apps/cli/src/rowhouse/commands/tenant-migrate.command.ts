import { DatabaseMigrator, type OwnPlace, TenantPlaces } from '#apps/api';
import type { CliCall, CliCommand } from '../cli-command.js';
import { MigrationFailedError } from '../migration-failed.error.js';
import { UsageError } from '../usage.error.js';

/** Brings schemas and databases of single tenants up to date; the start of the application does the same for all. */
export const tenantMigrateCommand: CliCommand = {
  noun: 'tenant',
  verb: 'migrate',
  summary: 'bring the schemas and databases of single tenants up to date: those named, or all',
  changes: true,
  configure: (command) =>
    command.argument('[slug]', 'one tenant').option('--all', 'every tenant with a place of its own'),
  async run({ args: [slug], options: { all }, dryRun, app, terminal }: CliCall) {
    if ((slug === undefined) === (all === undefined)) throw new UsageError('Give one of a slug and --all.');
    const context = await app();
    const isWanted = (place: OwnPlace) => all === true || place.slug === slug;
    const places = (await context.get(TenantPlaces).list()).filter(isWanted);
    if (places.length === 0 && slug) throw new UsageError(`"${slug}" has no schema or database of its own.`);
    if (dryRun) return terminal.say(`Would look at ${places.length} places.`);
    const results = await context.get(DatabaseMigrator).migratePlaces(isWanted);
    const rows = results.map(({ id, ran, error }) => ({
      place: id,
      ran: ran.length,
      error: error === undefined ? null : error instanceof Error ? error.message : String(error),
    }));
    terminal.table(rows);
    const failed = rows.filter(({ error }) => error !== null);
    if (failed.length > 0) throw new MigrationFailedError(failed.map(({ place }) => place));
  },
};
