import { AuditErasure } from '#libs/audit';
import type { CliCommand } from '../cli-command.js';
import { asTenant, TENANT_ARGUMENT } from './as-tenant.js';

/** By destroying the keys it lies under. */
export const auditEraseCommand: CliCommand = {
  noun: 'audit',
  verb: 'erase',
  summary: "erase what is personal about somebody from a tenant's trail",
  changes: true,
  configure: (command) => command.argument(...TENANT_ARGUMENT).argument('<subject>', 'id of the person'),
  async run(call) {
    const [slug, subject = ''] = call.args;
    const erasure = (await call.app()).get(AuditErasure);
    const question = `What the trail of ${slug} holds of ${subject} becomes unreadable for good.`;
    if (call.dryRun) call.terminal.say(`${question} Nothing was done.`);
    else if (await call.terminal.confirm(question)) {
      call.terminal.object({ ...(await asTenant(call, () => erasure.erase(subject))) });
    }
  },
};
