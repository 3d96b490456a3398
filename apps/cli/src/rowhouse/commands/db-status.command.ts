import { MigrationStates } from '#apps/api';
import type { CliCall, CliCommand } from '../cli-command.js';
import { DatabaseUnreadError } from '../database-unread.error.js';

/** What has run in each database and in each place of a single tenant, and what waits to. */
export const dbStatusCommand: CliCommand = {
  noun: 'db',
  verb: 'status',
  summary: 'show for each database, and each schema or database of a single tenant, which migrations have not run',
  configure: (command) => command.option('--behind', 'only those that are not up to date or cannot be read'),
  async run(call: CliCall) {
    await showStates(call, { behind: call.options.behind === true });
  },
};

/** @throws {DatabaseUnreadError} after the others were shown */
export async function showStates({ app, terminal }: CliCall, { behind = false } = {}): Promise<void> {
  const states = await (await app()).get(MigrationStates).read();
  const rows = states.map(({ id, ran, pending, error }) => ({
    database: id,
    ran: error === undefined ? ran.length : null,
    pending: pending.join(' ') || null,
    error: error === undefined ? null : error instanceof Error ? error.message : String(error),
  }));
  const isBehind = ({ pending, error }: (typeof rows)[number]) => pending !== null || error !== null;
  terminal.table(behind ? rows.filter(isBehind) : rows);
  if (rows.some((row) => row.database === 'central' && isBehind(row))) {
    terminal.say('Places of single tenants are shown once the central database is up to date.');
  }
  const unread = rows.filter(({ error }) => error !== null).map(({ database }) => database);
  if (unread.length > 0) throw new DatabaseUnreadError(unread);
}
