import type { ApiKey } from '#libs/identity';

/** An API key as the tenant sees it. The key itself is in no view: it is shown once, by whoever issues it. */
export function toApiKeyView({ id, name, permissions, createdBy, createdAt, expiresAt }: ApiKey) {
  return {
    id,
    name,
    permissions,
    createdBy,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
  };
}
