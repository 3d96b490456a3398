import type { Permission } from '../permissions.js';

/** What a valid API key speaks for, as the central database says it now. Frozen: shared by requests. */
export interface ApiKeyPrincipal {
  readonly kind: 'api_key';
  readonly apiKeyId: string;
  /** What the tenant calls the key. */
  readonly name: string;
  readonly tenantId: string;
  readonly permissions: ReadonlySet<Permission>;
}
