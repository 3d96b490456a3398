import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { RequirePermission } from '../http/access.decorators.js';
import { currentPrincipal } from '../http/access.guard.js';
import { EntityIdPipe } from '../http/entity-id.pipe.js';
import { ShownOnce } from '../http/idempotency/shown-once.decorator.js';
import { type PageQuery, pageQuerySchema } from '../http/page.schemas.js';
import { toApiKeyView } from './api-key.view.js';
import { type NewApiKeyRequest, newApiKeySchema } from './api-keys.schemas.js';
import { ApiKeysService } from './api-keys.service.js';

/** Keys for machines. */
@RequirePermission('keys:read')
@Controller('v1/api-keys')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  @Get()
  async list(@Query({ schema: pageQuerySchema }) query: PageQuery) {
    const { data, nextCursor } = await this.keys.list(query);
    return { data: data.map(toApiKeyView), nextCursor };
  }

  @RequirePermission('keys:write')
  @ShownOnce('key')
  @Post()
  async issue(@Body({ schema: newApiKeySchema }) input: NewApiKeyRequest) {
    const { apiKey, key } = await this.keys.issue(input, currentPrincipal());
    return { ...toApiKeyView(apiKey), key };
  }

  @RequirePermission('keys:write')
  @Delete(':id')
  @HttpCode(204)
  async remove(@Param('id', EntityIdPipe) id: string): Promise<void> {
    await this.keys.remove(id);
  }
}
