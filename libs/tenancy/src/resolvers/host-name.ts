import { isIP } from 'node:net';
import { AmbiguousTenantError } from '../errors/ambiguous-tenant.error.js';
import type { TenantRequest } from './tenant-request.js';

/** Letters of host names, and `_`, which names inside of networks have. */
const HOST_NAME = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;
const LONGEST = 253;

/**
 * The host of a request as a name in small letters, without port and final dot; `undefined` for none and for addresses.
 * @throws {AmbiguousTenantError} for anything else: what proxies, browsers and we read differently decides nothing
 */
export function hostNameOf({ host }: TenantRequest): string | undefined {
  if (host === undefined || host === '') return undefined;
  if (/^\[[\da-f:.]+\](?::\d*)?$/i.test(host)) return undefined;
  const name = host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  if (isIP(name)) return undefined;
  if (name.length > LONGEST || !HOST_NAME.test(name)) throw new AmbiguousTenantError('host');
  return name;
}

/** Whether `name` is `domain` or lies under it. */
export function isWithin(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}
