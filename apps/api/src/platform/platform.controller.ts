import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { OperatorOnly } from '../http/access.decorators.js';
import { type PageQuery, pageQuerySchema } from '../http/page.schemas.js';
import { toPlacedTenantView } from './placed-tenant.view.js';
import {
  type PlatformSignUp,
  type ProductSearchQuery,
  platformSignUpSchema,
  productSearchSchema,
  type TenantChange,
  tenantChangeSchema,
} from './platform.schemas.js';
import { PlatformService } from './platform.service.js';
import { ProductSearch } from './product-search.js';

/**
 * What the people who run the platform see and do. Works for no tenant: no tenant's rows are within reach, except by a
 * search, which the tenants concerned find in their trails.
 */
@OperatorOnly()
@Controller('v1/platform')
export class PlatformController {
  constructor(
    private readonly platform: PlatformService,
    private readonly products: ProductSearch,
  ) {}

  @Get('shards')
  shards() {
    return this.platform.describeShards();
  }

  @Get('search/products')
  searchProducts(@Query({ schema: productSearchSchema }) query: ProductSearchQuery) {
    return this.products.search(query);
  }

  @Post('tenants')
  async signUp(@Body({ schema: platformSignUpSchema }) body: PlatformSignUp) {
    const { tenant, owner, placement } = await this.platform.signUp(body);
    return { tenant: toPlacedTenantView({ ...tenant, placement }), owner: { id: owner.id, email: owner.email } };
  }

  @Get('tenants')
  async tenants(@Query({ schema: pageQuerySchema }) query: PageQuery) {
    const { data, nextCursor } = await this.platform.listTenants(query);
    return { data: data.map(toPlacedTenantView), nextCursor };
  }

  @Get('tenants/:slug')
  async tenant(@Param('slug') slug: string) {
    return toPlacedTenantView(await this.platform.getTenant(slug));
  }

  @Patch('tenants/:slug')
  @HttpCode(200)
  async change(@Param('slug') slug: string, @Body({ schema: tenantChangeSchema }) change: TenantChange) {
    const { tenant, trail } = await this.platform.changeTenant(slug, change.status);
    return { ...toPlacedTenantView(tenant), ...(trail !== 'recorded' && { trail }) };
  }

  /** Nothing to say, unless it could not be put on record: then the tenant, and that. */
  @Delete('tenants/:slug')
  @HttpCode(204)
  async archive(@Param('slug') slug: string, @Res({ passthrough: true }) reply: FastifyReply) {
    const { tenant, trail } = await this.platform.changeTenant(slug, 'archived');
    if (trail === 'recorded') return undefined;
    void reply.code(200);
    return { ...toPlacedTenantView(tenant), trail };
  }
}
