import { Module } from '@nestjs/common';
import { PlatformController } from './platform.controller.js';
import { PlatformService } from './platform.service.js';
import { ProductSearch } from './product-search.js';

/** The operators' part of the API. */
@Module({ controllers: [PlatformController], providers: [PlatformService, ProductSearch] })
export class PlatformModule {}
