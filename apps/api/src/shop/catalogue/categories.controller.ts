import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequirePermission } from '../../http/access.decorators.js';
import { EntityIdPipe } from '../../http/entity-id.pipe.js';
import { toEntityTag } from '../../http/entity-tag.js';
import {
  type CategoryPatch,
  type CategoryQuery,
  categoryPatchSchema,
  categoryQuerySchema,
  type NewCategory,
  newCategorySchema,
} from './category.schemas.js';
import { CategoryService } from './category.service.js';
import { toCategoryView } from './category.view.js';

/** The tree of categories over HTTP. */
@RequirePermission('catalogue:read')
@Controller('v1/categories')
export class CategoriesController {
  constructor(private readonly categories: CategoryService) {}

  @RequirePermission('catalogue:write')
  @Post()
  async create(
    @Body({ schema: newCategorySchema }) input: NewCategory,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const category = await this.categories.create(input);
    reply.header('location', `/v1/categories/${category.id}`).header('etag', toEntityTag(category.version));
    return toCategoryView(category);
  }

  /** By name. */
  @Get()
  async list(@Query({ schema: categoryQuerySchema }) query: CategoryQuery) {
    const { data, nextCursor } = await this.categories.list(query);
    return { data: data.map(toCategoryView), nextCursor };
  }

  @Get(':id')
  async get(@Param('id', EntityIdPipe) id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    const category = await this.categories.get(id);
    reply.header('etag', toEntityTag(category.version));
    return toCategoryView(category);
  }

  /** A new parent moves it, with all below it. */
  @RequirePermission('catalogue:write')
  @Patch(':id')
  async patch(
    @Param('id', EntityIdPipe) id: string,
    @Body({ schema: categoryPatchSchema }) patch: CategoryPatch,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const category = await this.categories.patch(id, patch, ifMatch);
    reply.header('etag', toEntityTag(category.version));
    return toCategoryView(category);
  }

  /** Only one that nothing is in. */
  @RequirePermission('catalogue:write')
  @Delete(':id')
  @HttpCode(204)
  async remove(@Param('id', EntityIdPipe) id: string, @Headers('if-match') ifMatch: string | undefined): Promise<void> {
    await this.categories.remove(id, ifMatch);
  }
}
