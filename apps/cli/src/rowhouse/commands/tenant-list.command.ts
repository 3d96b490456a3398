import { PlatformService } from '#apps/api';
import type { CliCall, CliCommand } from '../cli-command.js';
import { showTenant } from '../tenants/show-tenant.js';

/** Shows all tenants with the place of their rows, newest first. */
export const tenantListCommand: CliCommand = {
  noun: 'tenant',
  verb: 'list',
  summary: 'list tenants with their status and the place of their rows, newest first',
  async run({ app, terminal }: CliCall) {
    const platform = (await app()).get(PlatformService);
    const rows: ReturnType<typeof showTenant>[] = [];
    let cursor: string | undefined;
    do {
      const page = await platform.listTenants({ limit: 100, cursor });
      rows.push(...page.data.map(showTenant));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    terminal.table(rows);
  },
};
