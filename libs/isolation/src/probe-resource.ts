import type { ApiDescription } from './api-description.js';
import { isolationCases } from './cases/isolation-cases.js';
import type { IsolationResource, IsolationResult } from './isolation-resource.js';
import { type IsolationParties, IsolationWorld } from './isolation-world.js';

/**
 * Tries, as one tenant, to reach what another has of `resource`, on every route that the description of the API has for it.
 * Makes things for both tenants and removes nothing: use tenants of its own.
 *
 * @returns one result for each promise that the resource can keep or break; a promise that cannot be tried is not among them
 * @throws {Error} when the API has no such resource, or nothing of it can be made: then nothing would have been shown
 */
export async function probeResource(
  description: ApiDescription,
  resource: IsolationResource,
  parties: IsolationParties,
): Promise<IsolationResult[]> {
  const world = new IsolationWorld(description, resource, parties);
  await world.prepare();
  const results: IsolationResult[] = [];
  for (const { title, applies, check } of isolationCases) {
    if (!applies(world)) continue;
    const seen = await check(world);
    const detail = seen.length > 0 ? seen.join('; ') : undefined;
    results.push({ resource: resource.path, title, holds: seen.length === 0, ...(detail && { detail }) });
  }
  return results;
}
