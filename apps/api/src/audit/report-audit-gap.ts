import { Logger } from '@nestjs/common';
import type { AuditGap } from '#libs/audit';

const logger = new Logger('Audit');

/** The alarm of a gap in somebody's trail. Without the database's message, which may hold values it refused. */
export function reportAuditGap({ tenantId, changes, error }: AuditGap): void {
  const rows = Object.entries(changes).map(([name, count]) => `${count} ${name}`);
  const { name } = error as Error;
  logger.fatal(`AUDIT GAP: tenant ${tenantId} has changes without an entry (${rows.join(', ')}): ${name}`);
}
