import { Global, Module } from '@nestjs/common';
import { LimiterFactory } from './limiter.factory.js';
import { RateLimits } from './rate-limits.js';

/** How much of the service one tenant, actor or address may take. */
@Global()
@Module({ providers: [LimiterFactory, RateLimits], exports: [LimiterFactory, RateLimits] })
export class LimitsModule {}
