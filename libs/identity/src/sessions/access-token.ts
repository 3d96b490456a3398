/** What an access token says. Nothing in it is trusted for longer than a look at the session it names. */
export interface AccessTokenClaims {
  /** User id. */
  readonly sub: string;
  /** Session id. */
  readonly sid: string;
  /** Tenant id; absent in an operator's token. */
  readonly tid?: string;
}
