import { TenantDomainService } from '#apps/api';
import type { CliCall, CliCommand } from '../cli-command.js';

/** Take a domain away from a tenant. */
export const domainRemoveCommand: CliCommand = {
  noun: 'domain',
  verb: 'remove',
  summary: 'take a domain away from a tenant',
  changes: true,
  configure: (command) => command.argument('<slug>', 'tenant').argument('<domain>', 'such as shop.acme.example'),
  async run({ args: [slug = '', name = ''], app, dryRun, terminal }: CliCall) {
    if (dryRun) {
      terminal.say(`Would remove ${name} from ${slug}.`);
      return;
    }
    const service = (await app()).get(TenantDomainService);
    if (!(await terminal.confirm(`Requests to ${name} will name nobody. Remove it from ${slug}?`))) return;
    terminal.object({ domain: name, removed: await service.remove(slug, name) });
  },
};
