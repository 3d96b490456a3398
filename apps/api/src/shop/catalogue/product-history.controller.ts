import { Body, Controller, Get, HttpCode, Param, Post, Query, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AuditTrail } from '#libs/audit';
import { RecordedConflictFilter } from '../../audit/recorded-conflict.filter.js';
import {
  type DiffQuery,
  diffQuerySchema,
  type RevertInput,
  revertSchema,
  type VersionsQuery,
  versionsQuerySchema,
} from '../../audit/version.schemas.js';
import { toVersionView } from '../../audit/version.view.js';
import { RequirePermission } from '../../http/access.decorators.js';
import { EntityIdPipe } from '../../http/entity-id.pipe.js';
import { toEntityTag } from '../../http/entity-tag.js';
import { NotFoundError } from '../../http/errors/not-found.error.js';
import { Product } from './product.entity.js';
import { ProductService } from './product.service.js';
import { toProductView } from './product.view.js';

/** What products were, from the audit trail. It names people, so it is for whoever may read that, and looks are on record. */
@RequirePermission('audit:read')
@Controller('v1/products/:id')
export class ProductHistoryController {
  constructor(
    private readonly trail: AuditTrail,
    private readonly products: ProductService,
  ) {}

  @Get('versions')
  async versions(@Param('id', EntityIdPipe) id: string, @Query({ schema: versionsQuerySchema }) query: VersionsQuery) {
    const { versions, nextBefore } = await this.trail.versions(Product, id, query);
    if (versions.length === 0 && query.before === undefined) throw new NotFoundError();
    // Further pages belong to the same look.
    if (query.before === undefined) await this.#recordRead({ versionsOf: id });
    return { data: versions.map(toVersionView), nextBefore };
  }

  @Get('diff')
  async diff(@Param('id', EntityIdPipe) id: string, @Query({ schema: diffQuerySchema }) { from, to }: DiffQuery) {
    const changes = await this.trail.diff(Product, id, from, to);
    await this.#recordRead({ differencesOf: id, from, to });
    return { from, to, changes };
  }

  /** The product as it is then; a deleted one is there again. What it answers tells of the past, so it is for readers of it. */
  @RequirePermission('audit:read', 'catalogue:write')
  @Post('revert')
  @HttpCode(200)
  @UseFilters(RecordedConflictFilter)
  async revert(
    @Param('id', EntityIdPipe) id: string,
    @Body({ schema: revertSchema }) { version, dryRun }: RevertInput,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const result = await this.trail.revert(Product, id, version, { dryRun });
    if (dryRun) {
      await this.#recordRead({ revertOf: id, version });
      return result;
    }
    const product = await this.products.get(id);
    reply.header('etag', toEntityTag(product.version));
    return toProductView(product);
  }

  #recordRead(details: Readonly<Record<string, unknown>>): Promise<void> {
    return this.trail.record({ action: 'audit_read', details });
  }
}
