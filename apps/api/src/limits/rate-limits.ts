import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible';
import { AppConfig } from '../config/app.config.js';
import { RateLimitedError } from '../http/errors/rate-limited.error.js';
import { LimiterFactory } from './limiter.factory.js';

const WINDOW_SECONDS = 60;

/** What requests are counted by. */
export type LimitName = 'actor' | 'tenant' | 'address';

interface Limit {
  readonly name: LimitName;
  readonly limiter: RateLimiterAbstract;
  /** Its item of `RateLimit-Policy`. */
  readonly policy: string;
}

/**
 * Counts requests by tenant, by actor and, where nobody is signed in, by address; refuses those above the limit, and tells
 * the others what is left.
 *
 * @see draft-ietf-httpapi-ratelimit-headers: `RateLimit-Policy: "tenant";q=600;w=60`, `RateLimit: "tenant";r=598;t=31`
 */
@Injectable()
export class RateLimits {
  readonly #limits = new Map<LimitName, Limit>();

  constructor({ limits }: AppConfig, limiters: LimiterFactory) {
    for (const name of ['actor', 'tenant', 'address'] as const) {
      const points = limits[name];
      if (points === 0) continue;
      const limiter = limiters.create({ keyPrefix: name, points, duration: WINDOW_SECONDS });
      this.#limits.set(name, { name, limiter, policy: `"${name}";q=${points};w=${WINDOW_SECONDS}` });
    }
  }

  /**
   * Counts one request against each of `keys`, in their order: what one refuses is not counted against the next, so that
   * an actor who runs wild does not use up the tenant's share.
   *
   * @throws {RateLimitedError}
   */
  async count(reply: FastifyReply, keys: Partial<Record<LimitName, string>>): Promise<void> {
    let policies = '';
    let states = '';
    for (const [name, key] of Object.entries(keys) as [LimitName, string][]) {
      const limit = this.#limits.get(name);
      if (!limit) continue;
      const state = await consume(limit.limiter, key);
      const separator = policies && ', ';
      const seconds = Math.max(1, Math.ceil(state.msBeforeNext / 1000));
      policies += separator + limit.policy;
      states += `${separator}"${name}";r=${state.remainingPoints};t=${seconds}`;
      if (state.consumedPoints > limit.limiter.points) {
        tell(reply, policies, states);
        throw new RateLimitedError(name, seconds);
      }
    }
    if (policies) tell(reply, policies, states);
  }
}

/** The counter after one more. A limiter rejects with its state once the limit is passed: to us that is a state too. */
async function consume(limiter: RateLimiterAbstract, key: string): Promise<RateLimiterRes> {
  try {
    return await limiter.consume(key);
  } catch (state) {
    if (state instanceof RateLimiterRes) return state;
    throw state;
  }
}

function tell(reply: FastifyReply, policies: string, states: string): void {
  void reply.header('ratelimit-policy', policies).header('ratelimit', states);
}
