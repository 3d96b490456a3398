import { AcrossTenantsUnboundError } from '../errors/across-tenants-unbound.error.js';
import type { AcrossTenants, AcrossTenantsOptions } from './across-tenants.js';

/** Those of the applications of this process: one, but for tests. */
const bound = new Set<AcrossTenants>();

/** Called when an application starts; the result when it stops. */
export function bindAcrossTenants(service: AcrossTenants): () => void {
  bound.add(service);
  return () => bound.delete(service);
}

/**
 * `AcrossTenants.run` of the one application of this process, for code that nobody injects into: scripts, subscribers.
 *
 * @param reason in words that tenants understand: they will read it
 * @throws {AcrossTenantsUnboundError} no application has started, or several: inject `AcrossTenants` there
 * @throws {AcrossTenantsDeniedError} @throws {OperationRefusedError} @throws {AcrossTenantsEndedError}
 *
 * @example
 * const rows = await acrossTenants('find orders of a recalled batch', () => findRows(shards, Order, query, limits));
 */
export async function acrossTenants<T>(
  reason: string,
  fn: () => Promise<T>,
  options?: AcrossTenantsOptions,
): Promise<T> {
  const [only] = bound;
  if (!only || bound.size > 1) throw new AcrossTenantsUnboundError(bound.size);
  return only.run(reason, fn, options);
}
