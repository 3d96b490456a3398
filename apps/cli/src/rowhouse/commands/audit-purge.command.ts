import { AuditRetention } from '#libs/audit';
import type { CliCommand } from '../cli-command.js';
import { UsageError } from '../usage.error.js';
import { asTenant, TENANT_ARGUMENT } from './as-tenant.js';

/** In the database, in transactions of 5,000 entries. */
export const auditPurgeCommand: CliCommand = {
  noun: 'audit',
  verb: 'purge',
  summary: "take old entries out of a tenant's trail, but for those on legal hold",
  changes: true,
  configure: (command) =>
    command
      .argument(...TENANT_ARGUMENT)
      .requiredOption('--before <time>', 'RFC 3339 time')
      .requiredOption('--reason <text>', 'the rule it follows; stays on record'),
  async run(call) {
    const before = new Date(String(call.options.before));
    if (Number.isNaN(before.getTime())) throw new UsageError('--before is no time.');
    const reason = String(call.options.reason);
    const retention = (await call.app()).get(AuditRetention);
    const found = await asTenant(call, () => retention.purge({ before, reason, dryRun: true }));
    const question = `${found.purged} entries of ${call.args[0]} from before ${before.toISOString()} are purged for good.`;
    if (call.dryRun || found.purged === 0) call.terminal.object({ ...found });
    else if (await call.terminal.confirm(question)) {
      call.terminal.object({ ...(await asTenant(call, () => retention.purge({ before, reason }))) });
    }
  },
};
