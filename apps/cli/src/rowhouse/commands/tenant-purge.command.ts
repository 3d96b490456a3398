import { PlatformService, TenantPurgeService } from '#apps/api';
import type { CliCall, CliCommand } from '../cli-command.js';

/** Removes an archived tenant with all its rows, schema or database. */
export const tenantPurgeCommand: CliCommand = {
  noun: 'tenant',
  verb: 'purge',
  summary: 'remove an archived tenant for good, with its rows, schema or database',
  changes: true,
  configure: (command) => command.argument('<slug>', 'an archived tenant'),
  async run({ args: [slug = ''], dryRun, app, terminal }: CliCall) {
    const context = await app();
    const { status, placement } = await context.get(PlatformService).getTenant(slug);
    const place = placement.schemaName ?? placement.databaseName ?? 'its rows';
    if (dryRun) return terminal.say(`Would remove ${slug} (${status}) and ${place} on ${placement.shardId}.`);
    if (!(await terminal.confirm(`Remove ${slug} and ${place} on ${placement.shardId}? There is no way back.`))) return;
    await context.get(TenantPurgeService).purge(slug);
    terminal.object({ slug, purged: true });
  },
};
