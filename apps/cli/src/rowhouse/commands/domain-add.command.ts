import { TenantDomainService } from '#apps/api';
import type { CliCall, CliCommand } from '../cli-command.js';

/** Name a domain that shall be a tenant's, and show what its DNS must say. */
export const domainAddCommand: CliCommand = {
  noun: 'domain',
  verb: 'add',
  summary: "name a domain that shall be a tenant's, and show what its DNS must say",
  changes: true,
  configure: (command) => command.argument('<slug>', 'tenant').argument('<domain>', 'such as shop.acme.example'),
  async run({ args: [slug = '', name = ''], app, dryRun, terminal }: CliCall) {
    if (dryRun) {
      terminal.say(`Would add ${name} to ${slug}.`);
      return;
    }
    const service = (await app()).get(TenantDomainService);
    const { domain, challenge, verifiedAt } = await service.add(slug, name);
    terminal.object({ domain, verifiedAt, record: `_rowhouse.${domain}`, type: 'TXT', value: challenge });
    terminal.say(`Publish the record, then: npm run rowhouse -- domain verify ${slug} ${domain}`);
  },
};
