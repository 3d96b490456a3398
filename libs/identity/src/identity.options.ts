import type { RateLimiterAbstract } from 'rate-limiter-flexible';

/** Injection token of the module's options. */
export const IDENTITY_MODULE_OPTIONS = 'IDENTITY_MODULE_OPTIONS';

/** A counter with a limit; the part of rate-limiter-flexible's options that any store has. */
export interface LimiterOptions {
  /** Tells counters of different limits apart where they share a store. */
  readonly keyPrefix: string;
  readonly points: number;
  /** Length of the window, in seconds. */
  readonly duration: number;
}

/** How `IdentityModule` is configured. */
export interface IdentityModuleOptions {
  /** Signs access and refresh tokens. At least 32 characters; who has it can be anybody. */
  secret: string;
  /** Life of an access token, in seconds. Default 900. */
  accessTokenTtlSeconds?: number;
  /** Life of a session without a refresh, in seconds. Default 30 days. */
  sessionTtlSeconds?: number;
  /** How long the principal of a session is reused without asking the database, in milliseconds. Default 30 000. */
  cacheTtlMs?: number;
  /** Failed log-ins until an account, seen from one address, is closed for a while. Default 10 in 15 minutes. */
  loginAttempts?: number;
  /** Makes the counters of failed log-ins. Default: in this process only, so that each process allows as many again. */
  createLimiter?: (options: LimiterOptions) => RateLimiterAbstract;
}
