/** What resolvers see of a request. Whoever receives requests makes one of them; it holds nothing that was checked. */
export interface TenantRequest {
  /** Names in small letters, as Node gives them: a header that came twice is one value, joined by a comma. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /**
   * The host the client asked for, port included. Of a proxy's word (`X-Forwarded-Host`) only when that proxy is trusted;
   * `undefined` when there is none. Several values, joined by a comma, when it came more than once.
   */
  readonly host: string | undefined;
  /** The path the client asked for, before anything was taken off it, without the query. */
  readonly path: string;
}
