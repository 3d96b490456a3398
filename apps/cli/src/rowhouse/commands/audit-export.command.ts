import { AuditExporter } from '#libs/audit';
import type { CliCommand } from '../cli-command.js';
import { UsageError } from '../usage.error.js';
import { asTenant, TENANT_ARGUMENT } from './as-tenant.js';

/** For who reads or verifies it elsewhere. */
export const auditExportCommand: CliCommand = {
  noun: 'audit',
  verb: 'export',
  summary: "write a tenant's trail to standard output, as NDJSON or CSV",
  configure: (command) => command.argument(...TENANT_ARGUMENT).option('--format <format>', 'ndjson or csv', 'ndjson'),
  async run(call) {
    const { format } = call.options;
    if (format !== 'ndjson' && format !== 'csv') throw new UsageError('The format is ndjson or csv.');
    const exporter = (await call.app()).get(AuditExporter);
    await asTenant(call, async () => {
      for await (const part of exporter[format]()) call.terminal.text(part);
    });
  },
};
