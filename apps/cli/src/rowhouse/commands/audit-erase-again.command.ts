import { AuditErasure, TenantRoster } from '#libs/audit';
import { runAs } from '#libs/context';
import type { CliCommand } from '../cli-command.js';
import { actorOfCommand } from './as-tenant.js';

/** After a restore. A server does the same by itself within minutes. */
export const auditEraseAgainCommand: CliCommand = {
  noun: 'audit',
  verb: 'erase-again',
  summary: 'erase, in all trails, what a backup has brought back',
  async run({ app, terminal }) {
    const opened = await app();
    const rows: { tenant: string; keys: number }[] = [];
    for await (const tenant of opened.get(TenantRoster, { strict: false }).all()) {
      const { keys } = await runAs({ tenant, actor: actorOfCommand() }, () => opened.get(AuditErasure).eraseAgain());
      if (keys > 0) rows.push({ tenant: tenant.slug, keys });
    }
    terminal.table(rows);
  },
};
