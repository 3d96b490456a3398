import { PlatformService } from '#apps/api';
import type { TenantStatus } from '#libs/tenancy';
import type { CliCall, CliCommand } from '../cli-command.js';
import { showTenant } from './show-tenant.js';

/** A command that gives a tenant another status, on record in its own trail. */
export function changeStatusCommand(verb: string, status: TenantStatus, summary: string, question: string): CliCommand {
  return {
    noun: 'tenant',
    verb,
    summary,
    changes: true,
    configure: (command) => command.argument('<slug>', 'the tenant'),
    async run({ args: [slug = ''], dryRun, app, terminal }: CliCall) {
      const platform = (await app()).get(PlatformService);
      const tenant = await platform.getTenant(slug);
      if (dryRun) return terminal.say(`Would make ${slug} ${status}; it is ${tenant.status}.`);
      if (!(await terminal.confirm(question.replace('%', slug)))) return;
      const { tenant: changed, trail } = await platform.changeTenant(slug, status);
      terminal.object(showTenant(changed));
      if (trail !== 'recorded') terminal.say(`Not on record in the trail of ${slug}: its place is not available.`);
    },
  };
}
