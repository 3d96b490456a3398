import { AuditWitnesses } from '#apps/api';
import type { CliCall, CliCommand } from '../cli-command.js';

/** Watch tenants' tables on PostgreSQL for writes that leave no audit entry. */
export const auditWitnessCommand: CliCommand = {
  noun: 'audit',
  verb: 'witness',
  summary: "watch tenants' tables on PostgreSQL for writes that leave no audit entry",
  changes: true,
  configure: (command) => command.option('--remove', 'stop watching; what was noted stays'),
  async run({ options, app, dryRun, terminal }: CliCall) {
    const remove = options.remove === true;
    const witnesses = (await app()).get(AuditWitnesses);
    const places = await witnesses.places();
    const rows = places.map(({ database, schema = 'public' }) => ({ database, schema, watched: !remove }));
    if (!dryRun) for (const place of places) await witnesses.install(place, { remove });
    if (dryRun) terminal.say('Nothing is changed: this is what would be.');
    terminal.table(rows);
  },
};
