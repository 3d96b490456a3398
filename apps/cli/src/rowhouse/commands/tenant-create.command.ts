import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PlatformService, platformSignUpSchema } from '#apps/api';
import { strategyNames } from '#libs/tenancy';
import type { CliCall, CliCommand } from '../cli-command.js';
import { showTenant } from '../tenants/show-tenant.js';
import { UsageError } from '../usage.error.js';

/** Signs a tenant up, with the strategy and on the shard that the operator names. */
export const tenantCreateCommand: CliCommand = {
  noun: 'tenant',
  verb: 'create',
  summary: 'sign a tenant up, with the place of its rows',
  changes: true,
  configure: (command) =>
    command
      .argument('<slug>', 'what URLs call it')
      .requiredOption('--owner-email <email>', 'its first person')
      .option('--name <name>', 'what people call it; default: the slug')
      .option('--owner-name <name>', 'default: the e-mail')
      .option('--password-file <file>', "holds the owner's password; without it one is made, and shown this once")
      .option('--strategy <strategy>', `${strategyNames.join(', ')}; default: DEFAULT_STRATEGY`)
      .option('--shard <shard>', 'default: that of its slot'),
  async run({ args: [slug = ''], options, dryRun, app, terminal }: CliCall) {
    const { ownerEmail: email, name = slug, ownerName = email, passwordFile, strategy, shard } = options;
    const made = passwordFile === undefined ? randomBytes(18).toString('base64url') : undefined;
    const password = made ?? readFileSync(String(passwordFile), 'utf8').trim();
    const placement = strategy || shard ? { strategy, shard } : undefined;
    const parsed = platformSignUpSchema.safeParse({
      slug,
      name,
      owner: { email, password, name: ownerName },
      placement,
    });
    if (!parsed.success) {
      throw new UsageError(parsed.error.issues.map((it) => `${it.path.join('.')}: ${it.message}`).join('\n'));
    }
    if (dryRun) return terminal.say(`Would sign up ${slug}${strategy ? ` with the strategy ${strategy}` : ''}.`);
    const { tenant, placement: placed } = await (await app()).get(PlatformService).signUp(parsed.data);
    terminal.object({
      ...showTenant({ ...tenant, placement: placed }),
      owner: String(email),
      ...(made && { password: made }),
    });
  },
};
