import type { ContextTenant } from '#libs/context';
import type { Placement } from './placement.js';

/**
 * Where the rows of a context's tenant lie. `undefined` for a tenant that was not taken from the `TenantStore`: nobody
 * knows then, and what asks must not guess.
 */
export function placementOf(tenant: ContextTenant): Placement | undefined {
  return 'placement' in tenant ? (tenant.placement as Placement) : undefined;
}
