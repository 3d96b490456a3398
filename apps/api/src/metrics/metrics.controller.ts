import { createHash, timingSafeEqual } from 'node:crypto';
import { Controller, Get, Headers, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { InvalidTokenError } from '#libs/identity';
import { AppConfig } from '../config/app.config.js';
import { Public } from '../http/access.decorators.js';
import { NotFoundError } from '../http/errors/not-found.error.js';
import { Metrics } from './metrics.js';

const digest = (text: string) => createHash('sha256').update(text).digest();

/**
 * Figures for Prometheus. Open outside production; in production they are for who has `METRICS_TOKEN`, and without such a
 * token there is no such page: routes, load and shards are nothing for strangers.
 */
@ApiExcludeController()
@Controller('metrics')
export class MetricsController {
  readonly #token: Buffer | undefined;

  constructor(
    private readonly metrics: Metrics,
    private readonly config: AppConfig,
  ) {
    this.#token = config.metricsToken === undefined ? undefined : digest(`Bearer ${config.metricsToken}`);
  }

  @Public()
  @Get()
  async render(
    @Headers('authorization') authorization: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    if (!this.config.hasMetrics) throw new NotFoundError();
    // Digests are of one length, so that the comparison tells nothing of the token's.
    if (this.#token && !timingSafeEqual(this.#token, digest(authorization ?? ''))) throw new InvalidTokenError();
    reply.header('content-type', this.metrics.contentType).header('cache-control', 'no-store');
    return this.metrics.render();
  }
}
