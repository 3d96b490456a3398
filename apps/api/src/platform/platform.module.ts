import { Module } from '@nestjs/common';
import { PlatformController } from './platform.controller.js';
import { PlatformService } from './platform.service.js';

/** The operators' part of the API. */
@Module({ controllers: [PlatformController], providers: [PlatformService] })
export class PlatformModule {}
