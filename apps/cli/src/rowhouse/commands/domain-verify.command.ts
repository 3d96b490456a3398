import { TenantDomainService } from '#apps/api';
import type { CliCall, CliCommand } from '../cli-command.js';

/** Let a domain name its tenant, once its DNS says so. */
export const domainVerifyCommand: CliCommand = {
  noun: 'domain',
  verb: 'verify',
  summary: 'let a domain name its tenant, once its DNS says so',
  changes: true,
  configure: (command) => command.argument('<slug>', 'tenant').argument('<domain>', 'such as shop.acme.example'),
  async run({ args: [slug = '', name = ''], app, dryRun, terminal }: CliCall) {
    if (dryRun) {
      terminal.say(`Would look up the record of ${name} for ${slug}.`);
      return;
    }
    const service = (await app()).get(TenantDomainService);
    const { domain, verifiedAt } = await service.verify(slug, name);
    terminal.object({ domain, verifiedAt });
  },
};
