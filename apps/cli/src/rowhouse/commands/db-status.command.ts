import { DatabaseMigrator } from '#apps/api';
import type { CliCall, CliCommand } from '../cli-command.js';

/** What has run in each database that many tenants use, and what waits to. */
export const dbStatusCommand: CliCommand = {
  noun: 'db',
  verb: 'status',
  summary: 'show for each database how many migrations have run and which have not',
  async run(call: CliCall) {
    call.terminal.table(await pendingOf(call));
  },
};

export async function pendingOf(call: CliCall) {
  const states = await (await call.app()).get(DatabaseMigrator).readStates();
  return states.map(({ id, ran, pending }) => ({ database: id, ran: ran.length, pending: pending.join(' ') || null }));
}
