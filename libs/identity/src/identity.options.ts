/** Injection token of the module's options. */
export const IDENTITY_MODULE_OPTIONS = 'IDENTITY_MODULE_OPTIONS';

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
}
