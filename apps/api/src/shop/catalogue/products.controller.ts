import { Readable } from 'node:stream';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiConsumes } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type AsOfQuery, asOfQuerySchema } from '../../audit/version.schemas.js';
import { RequirePermission } from '../../http/access.decorators.js';
import { assertPermitted } from '../../http/access.guard.js';
import { EntityIdPipe } from '../../http/entity-id.pipe.js';
import { isNotModified, toEntityTag } from '../../http/entity-tag.js';
import { UnsupportedMediaTypeError } from '../../http/errors/unsupported-media-type.error.js';
import type { ImportReport } from './import-report.js';
import {
  type NewProduct,
  newProductSchema,
  type ProductPatch,
  type ProductQuery,
  productPatchSchema,
  productQuerySchema,
} from './product.schemas.js';
import { ProductService } from './product.service.js';
import { toProductView } from './product.view.js';
import { ProductImporter } from './product-importer.js';
import { toProductStateView } from './product-state.view.js';

/** The catalogue over HTTP. */
@RequirePermission('catalogue:read')
@Controller('v1/products')
export class ProductsController {
  constructor(
    private readonly products: ProductService,
    private readonly importer: ProductImporter,
  ) {}

  @RequirePermission('catalogue:write')
  @Post()
  async create(@Body({ schema: newProductSchema }) input: NewProduct, @Res({ passthrough: true }) reply: FastifyReply) {
    const product = await this.products.create(input);
    reply.header('location', `/v1/products/${product.id}`).header('etag', toEntityTag(product.version));
    return toProductView(product);
  }

  @Get()
  async list(@Query({ schema: productQuerySchema }) query: ProductQuery) {
    const { data, nextCursor } = await this.products.list(query);
    return { data: data.map(toProductView), nextCursor };
  }

  @Get(':id')
  async get(
    @Param('id', EntityIdPipe) id: string,
    @Query({ schema: asOfQuerySchema }) { asOf }: AsOfQuery,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    if (asOf) {
      // What is shown no more may have been taken away with reason.
      assertPermitted('audit:read');
      return toProductStateView(id, await this.products.getAsOf(id, asOf));
    }
    const product = await this.products.get(id);
    reply.header('etag', toEntityTag(product.version));
    if (!isNotModified(ifNoneMatch, product.version)) return toProductView(product);
    reply.code(304);
    return undefined;
  }

  @RequirePermission('catalogue:write')
  @Post('import')
  @HttpCode(200)
  @ApiConsumes('application/x-ndjson')
  async import(@Req() { body }: FastifyRequest): Promise<ImportReport> {
    // The media type's parser hands the stream on unread; any other type was parsed, and is not taken here.
    if (!(body instanceof Readable)) throw new UnsupportedMediaTypeError();
    return this.importer.import(body);
  }

  @RequirePermission('catalogue:write')
  @Patch(':id')
  async patch(
    @Param('id', EntityIdPipe) id: string,
    @Body({ schema: productPatchSchema }) patch: ProductPatch,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const product = await this.products.patch(id, patch, ifMatch);
    reply.header('etag', toEntityTag(product.version));
    return toProductView(product);
  }

  @RequirePermission('catalogue:write')
  @Delete(':id')
  @HttpCode(204)
  async remove(@Param('id', EntityIdPipe) id: string, @Headers('if-match') ifMatch: string | undefined): Promise<void> {
    await this.products.remove(id, ifMatch);
  }
}
