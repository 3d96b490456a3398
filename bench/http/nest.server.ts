// The same by Nest, with one guard and one pipe: what the framework takes before anything of ours has run.
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  Module,
  NotFoundException,
  Param,
  ParseUUIDPipe,
  Req,
} from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { findProduct, report, tenantOf } from './bare-read.js';

type TenantRequest = FastifyRequest & { tenantId?: string | undefined };

@Injectable()
class TokenGuard implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const request = execution.switchToHttp().getRequest<TenantRequest>();
    request.tenantId = tenantOf(request.headers.authorization);
    return request.tenantId !== undefined;
  }
}

@Controller('v1/products')
class ProductsController {
  @Get(':id')
  get(@Param('id', ParseUUIDPipe) id: string, @Req() { tenantId = '' }: TenantRequest) {
    const product = findProduct(tenantId, id);
    if (!product) throw new NotFoundException();
    return product;
  }
}

@Module({ controllers: [ProductsController], providers: [{ provide: APP_GUARD, useClass: TokenGuard }] })
class NestModule {}

const adapter = new FastifyAdapter({ skipMiddie: true });
const app = await NestFactory.create<NestFastifyApplication>(NestModule, adapter, { logger: false, bodyParser: false });
await app.listen(0, '127.0.0.1');
report(await app.getUrl());
