import { Readable } from 'node:stream';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, StreamableFile } from '@nestjs/common';
import { AuditErasure, AuditExporter, AuditRetention, AuditTrail } from '#libs/audit';
import { RequirePermission } from '../http/access.decorators.js';
import { EntityIdPipe } from '../http/entity-id.pipe.js';
import { toHoldView } from './hold.view.js';
import { inThisContext } from './in-this-context.js';
import {
  type ErasureInput,
  type ExportInput,
  erasureSchema,
  exportQuerySchema,
  type HoldInput,
  holdSchema,
  type PurgeInput,
  purgeSchema,
} from './trail-upkeep.schemas.js';

const MEDIA_TYPES = { ndjson: 'application/x-ndjson', csv: 'text/csv; charset=utf-8' } as const;

/** What may be taken out of the trail of the caller's tenant, and how: exports, purges, holds, erasures. Each is on record. */
@RequirePermission('audit:write')
@Controller('v1/audit')
export class TrailUpkeepController {
  constructor(
    private readonly exporter: AuditExporter,
    private readonly retention: AuditRetention,
    private readonly erasure: AuditErasure,
    private readonly trail: AuditTrail,
  ) {}

  /** The whole trail, streamed. As NDJSON it can be verified offline: `rowhouse audit verify <file>`. */
  @RequirePermission('audit:read')
  @Get('export')
  export(@Query({ schema: exportQuerySchema }) { format, from, to }: ExportInput): StreamableFile {
    const lines = this.exporter[format]({ from, to });
    const disposition = `attachment; filename="audit.${format}"`;
    return new StreamableFile(Readable.from(inThisContext(lines)), { type: MEDIA_TYPES[format], disposition });
  }

  /** Takes old entries out, but for those on hold. */
  @Post('purges')
  @HttpCode(200)
  purge(@Body({ schema: purgeSchema }) { before, reason, dryRun }: PurgeInput) {
    return this.retention.purge({ before, reason, dryRun });
  }

  @RequirePermission('audit:read')
  @Get('holds')
  async holds() {
    const holds = await this.retention.holds();
    await this.trail.record({ action: 'audit_read', details: { holds: holds.length } });
    return { data: holds.map(toHoldView) };
  }

  /** Keeps entries from being purged. Without anything but a reason, all of them. */
  @Post('holds')
  async hold(@Body({ schema: holdSchema }) { reason, ...scope }: HoldInput) {
    return toHoldView(await this.retention.placeHold(reason, scope));
  }

  @Delete('holds/:id')
  @HttpCode(204)
  async release(@Param('id', EntityIdPipe) id: string): Promise<void> {
    await this.retention.releaseHold(id);
  }

  /** Erases what is personal about somebody from every entry and every later export. */
  @Post('erasures')
  @HttpCode(200)
  erase(@Body({ schema: erasureSchema }) { subjectId }: ErasureInput) {
    return this.erasure.erase(subjectId);
  }
}
