import { Controller, Get, Param, Query } from '@nestjs/common';
import { AuditTrail } from '#libs/audit';
import { RequirePermission } from '../http/access.decorators.js';
import { EntityIdPipe } from '../http/entity-id.pipe.js';
import { type AuditQuery, auditQuerySchema } from './audit.schemas.js';
import { toAuditEntryView } from './audit-entry.view.js';

/** The audit trail of the caller's tenant, newest entry first. */
@RequirePermission('audit:read')
@Controller('v1/audit')
export class AuditController {
  constructor(private readonly trail: AuditTrail) {}

  @Get()
  async list(@Query({ schema: auditQuerySchema }) query: AuditQuery) {
    const { entries, nextCursor } = await this.trail.list(query);
    // Further pages belong to the same look at the trail.
    if (query.cursor === undefined) await this.#recordRead(query);
    return { data: entries.map(toAuditEntryView), nextCursor };
  }

  @Get(':id')
  async get(@Param('id', EntityIdPipe) id: string) {
    const entry = await this.trail.get(id);
    await this.#recordRead({ id });
    return toAuditEntryView(entry);
  }

  /** Who looks at the trail is on record in it. After the reading, so that nobody finds himself first. */
  #recordRead(details: Readonly<Record<string, unknown>>): Promise<void> {
    return this.trail.record({ action: 'audit_read', details });
  }
}
