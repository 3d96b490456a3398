import type { FastifyRequest } from 'fastify';
import type { TenantRequest } from '#libs/tenancy';

/** `Host` among header names and values in turn, as they came; Node itself keeps the first and drops the others. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.length === 4 && rawHeaders[index]?.toLowerCase() === 'host') count++;
  }
  return count;
}

/** What resolvers of tenants are shown of a request. */
export function toTenantRequest(request: FastifyRequest): TenantRequest {
  // Somebody before us may have read the last: no name has a comma, so both together name nobody.
  const host = countHosts(request.raw.rawHeaders) > 1 ? `${request.host}, again` : request.host;
  return { headers: request.headers, host, path: request.originalUrl };
}
