import { AuditVerifier } from '#libs/audit';
import type { CliCommand } from '../cli-command.js';
import { asTenant, TENANT_ARGUMENT } from './as-tenant.js';
import { TrailFaultError } from './trail-fault.error.js';

/** Verifies what lies in the database. */
export const auditCheckCommand: CliCommand = {
  noun: 'audit',
  verb: 'check',
  summary: "verify a tenant's trail in its database",
  configure: (command) => command.argument(...TENANT_ARGUMENT),
  async run(call) {
    const verifier = (await call.app()).get(AuditVerifier);
    const { fault, checkpoint, ...verdict } = await asTenant(call, () => verifier.verify());
    call.terminal.object({ ...verdict, sealedAt: checkpoint?.sealedAt, ...fault });
    if (fault) throw new TrailFaultError(fault);
  },
};
