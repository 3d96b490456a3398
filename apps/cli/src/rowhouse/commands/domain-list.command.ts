import { TenantDomainService } from '#apps/api';
import type { CliCall, CliCommand } from '../cli-command.js';

/** Shows the domains of a tenant, verified or not. */
export const domainListCommand: CliCommand = {
  noun: 'domain',
  verb: 'list',
  summary: 'list the domains of a tenant',
  configure: (command) => command.argument('<slug>', 'tenant'),
  async run({ args: [slug = ''], app, terminal }: CliCall) {
    const domains = await (await app()).get(TenantDomainService).list(slug);
    terminal.table(domains.map(({ domain, verifiedAt, createdAt }) => ({ domain, verifiedAt, createdAt })));
  },
};
