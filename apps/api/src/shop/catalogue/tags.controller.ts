import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequirePermission } from '../../http/access.decorators.js';
import { EntityIdPipe } from '../../http/entity-id.pipe.js';
import { toEntityTag } from '../../http/entity-tag.js';
import { type PageQuery, pageQuerySchema } from '../../http/page.schemas.js';
import { type NewTag, newTagSchema, type TagPatch, tagPatchSchema } from './tag.schemas.js';
import { TagService } from './tag.service.js';
import { toTagView } from './tag.view.js';

/** Tags over HTTP. A product brings its own: what a new product is tagged with is there. */
@RequirePermission('catalogue:read')
@Controller('v1/tags')
export class TagsController {
  constructor(private readonly tags: TagService) {}

  @RequirePermission('catalogue:write')
  @Post()
  async create(@Body({ schema: newTagSchema }) input: NewTag, @Res({ passthrough: true }) reply: FastifyReply) {
    const created = await this.tags.create(input);
    reply.header('location', `/v1/tags/${created.tag.id}`).header('etag', toEntityTag(created.tag.version));
    return toTagView(created);
  }

  /** By name. */
  @Get()
  async list(@Query({ schema: pageQuerySchema }) query: PageQuery) {
    const { data, nextCursor } = await this.tags.list(query);
    return { data: data.map(toTagView), nextCursor };
  }

  @Get(':id')
  async get(@Param('id', EntityIdPipe) id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    const found = await this.tags.get(id);
    reply.header('etag', toEntityTag(found.tag.version));
    return toTagView(found);
  }

  /** A new name is a new word in every product that has it. */
  @RequirePermission('catalogue:write')
  @Patch(':id')
  async patch(
    @Param('id', EntityIdPipe) id: string,
    @Body({ schema: tagPatchSchema }) patch: TagPatch,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const patched = await this.tags.patch(id, patch, ifMatch);
    reply.header('etag', toEntityTag(patched.tag.version));
    return toTagView(patched);
  }

  /** The word leaves every product. */
  @RequirePermission('catalogue:write')
  @Delete(':id')
  @HttpCode(204)
  async remove(@Param('id', EntityIdPipe) id: string, @Headers('if-match') ifMatch: string | undefined): Promise<void> {
    await this.tags.remove(id, ifMatch);
  }
}
