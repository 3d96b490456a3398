import { Inject, Injectable } from '@nestjs/common';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { EmailInUseError } from './errors/email-in-use.error.js';
import { InvalidCredentialsError } from './errors/invalid-credentials.error.js';
import { TooManyAttemptsError } from './errors/too-many-attempts.error.js';
import { IDENTITY_MODULE_OPTIONS, type IdentityModuleOptions } from './identity.options.js';

const WINDOW_SECONDS = 900;
/** One address may fail for several accounts (an office behind one address), but not for a list of them. */
const ATTEMPTS_PER_ADDRESS = 10;

/**
 * Slows guessing of passwords down: counts failures per account and address, and per address. A right password never
 * counts, and an account is never closed for its owner at another address.
 */
@Injectable()
export class LoginThrottle {
  readonly #byAccount: RateLimiterAbstract;
  readonly #byAddress: RateLimiterAbstract;

  constructor(@Inject(IDENTITY_MODULE_OPTIONS) options: IdentityModuleOptions) {
    const { loginAttempts: points = 10, createLimiter = (limit) => new RateLimiterMemory(limit) } = options;
    const duration = WINDOW_SECONDS;
    this.#byAccount = createLimiter({ keyPrefix: 'login-account', points, duration });
    this.#byAddress = createLimiter({ keyPrefix: 'login-address', points: points * ATTEMPTS_PER_ADDRESS, duration });
  }

  /** @throws {TooManyAttemptsError} before the password is looked at, when there were too many failures */
  async assertAllowed(email: string, ip: string): Promise<void> {
    const states = await Promise.all([this.#byAccount.get(this.#key(email, ip)), this.#byAddress.get(ip)]);
    for (const [index, limiter] of [this.#byAccount, this.#byAddress].entries()) {
      const state = states[index];
      if (state && state.consumedPoints >= limiter.points) throw this.#refusal(state);
    }
  }

  /**
   * Lets `attempt` check a password, and counts it when the password was wrong. Every place that takes a password goes
   * through here: sign-up and joining a tenant would tell as well whether a guess was right.
   *
   * @throws {TooManyAttemptsError} instead of the attempt
   */
  async watch<T>(email: string, ip: string, attempt: () => Promise<T>): Promise<T> {
    await this.assertAllowed(email, ip);
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof InvalidCredentialsError || error instanceof EmailInUseError) await this.fail(email, ip);
      throw error;
    }
  }

  /** Counts one failure. */
  async fail(email: string, ip: string): Promise<void> {
    const counted = [this.#byAccount.consume(this.#key(email, ip)), this.#byAddress.consume(ip)];
    // A limiter rejects with its state once the limit is passed: that is not an error here, the next attempt is refused.
    await Promise.all(
      counted.map((promise) =>
        promise.catch((state: unknown) => {
          if (!(state instanceof RateLimiterRes)) throw state;
        }),
      ),
    );
  }

  #key(email: string, ip: string): string {
    return `${ip} ${email.trim().toLowerCase()}`;
  }

  #refusal(state: RateLimiterRes): TooManyAttemptsError {
    return new TooManyAttemptsError(Math.max(1, Math.ceil(state.msBeforeNext / 1000)));
  }
}
