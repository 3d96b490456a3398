import { createRequire } from 'node:module';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import type { LimiterOptions } from '#libs/identity';
import { AppConfig } from '../config/app.config.js';

const require = createRequire(import.meta.url);

/** A store that takes longer than this is away: limits must not make requests slow. */
const COMMAND_TIMEOUT_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

/** Counts in this process while Redis is away, and tells each time that it had to. */
class FallbackLimiter extends RateLimiterMemory {
  constructor(
    options: LimiterOptions,
    private readonly onUse: () => void,
  ) {
    super(options);
  }

  override consume(...given: Parameters<RateLimiterMemory['consume']>): ReturnType<RateLimiterMemory['consume']> {
    this.onUse();
    return super.consume(...given);
  }

  override get(...given: Parameters<RateLimiterMemory['get']>): ReturnType<RateLimiterMemory['get']> {
    this.onUse();
    return super.get(...given);
  }
}

/**
 * Makes counters for limits: shared by all processes through Redis when there is one, else of this process. When Redis
 * goes away, requests are counted here meanwhile: a limiter that is down must not take the API down with it.
 */
@Injectable()
export class LimiterFactory implements OnApplicationShutdown {
  readonly #logger = new Logger(LimiterFactory.name);
  readonly #redis: Redis | undefined;
  #isAway = false;

  constructor({ redisUrl }: AppConfig) {
    this.#redis = redisUrl ? this.#connect(redisUrl) : undefined;
  }

  readonly create = (options: LimiterOptions): RateLimiterAbstract => {
    if (!this.#redis) return new RateLimiterMemory(options);
    return new RateLimiterRedis({
      ...options,
      keyPrefix: `rowhouse:limit:${options.keyPrefix}`,
      storeClient: this.#redis,
      rejectIfRedisNotReady: true,
      insuranceLimiter: new FallbackLimiter(options, () => this.#noticeFailure()),
    });
  };

  onApplicationShutdown(): void {
    this.#redis?.disconnect();
  }

  #connect(url: string): Redis {
    // Loaded here: without Redis its client would only cost start-up time and memory.
    const client = require('ioredis') as typeof import('ioredis');
    const redis = new client.Redis(url, {
      // Nothing waits for a connection: what cannot be asked now is counted here.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: 2_000,
      retryStrategy: (attempt) => Math.min(attempt * 200, LONGEST_PAUSE_MS),
    });
    redis.on('error', (error: NodeJS.ErrnoException) => this.#noticeAway(error.code ?? error.name));
    redis.on('ready', () => this.#noticeBack());
    return redis;
  }

  /** A connection that is up and does not answer would cost every request the time-out: it is closed, and opened anew. */
  #noticeFailure(): void {
    if (this.#redis?.status !== 'ready') return;
    this.#noticeAway('no answer in time');
    this.#redis.disconnect(true);
  }

  /** Once each time it goes away, without the URL, which may hold a password. */
  #noticeAway(why: string): void {
    if (this.#isAway) return;
    this.#isAway = true;
    this.#logger.warn(`Redis is away (${why}). Limits are counted in this process until it is back.`);
  }

  #noticeBack(): void {
    if (this.#isAway) this.#logger.warn('Redis is back. Limits are shared again.');
    this.#isAway = false;
  }
}
