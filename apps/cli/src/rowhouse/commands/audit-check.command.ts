import { AuditTrail } from '#libs/audit';
import type { CliCommand } from '../cli-command.js';
import { asTenant, TENANT_ARGUMENT } from './as-tenant.js';
import { TrailFaultError } from './trail-fault.error.js';

/** Verifies what lies in the database, on record. */
export const auditCheckCommand: CliCommand = {
  noun: 'audit',
  verb: 'check',
  summary: "verify a tenant's trail in its database",
  configure: (command) => command.argument(...TENANT_ARGUMENT),
  async run(call) {
    const trail = (await call.app()).get(AuditTrail);
    const { fault, checkpoint, ...verdict } = await asTenant(call, () => trail.verify());
    call.terminal.object({ ...verdict, sealedAt: checkpoint?.sealedAt, ...fault });
    if (fault) throw new TrailFaultError(fault);
  },
};
