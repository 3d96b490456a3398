import { Injectable } from '@nestjs/common';
import type { TenantRequest } from './tenant-request.js';
import type { TenantIdentifier, TenantResolver } from './tenant-resolver.js';

/** Nothing is decoded and nothing resolved: `%61cme`, `..` and an empty part are no slugs, and no route is found for them. */
const TENANT_PATH = /^\/t\/([a-z0-9-]+)(\/.*)$/s;
/** A way up: to whoever follows it, the path names something else than it says. */
const WAY_UP = /^[^?]*\/\.\.?(?:[/?]|$)/;

/**
 * Takes a tenant off the front of a URL: `/t/acme/v1/products?limit=1` → `acme` and `/v1/products?limit=1`. For whoever
 * routes requests; `undefined` when there is none.
 */
export function splitTenantPath(url: string): { readonly slug: string; readonly rest: string } | undefined {
  // Asked of every request: most are told apart by three letters.
  if (!url.startsWith('/t/')) return undefined;
  const [, slug, rest] = TENANT_PATH.exec(url) ?? [];
  return slug !== undefined && rest !== undefined && !WAY_UP.test(rest) ? { slug, rest } : undefined;
}

/** A slug at the front of the path: `/t/acme/v1/products`. For clients that can set neither host nor header. */
@Injectable()
export class PathTenantResolver implements TenantResolver {
  readonly source = 'path';

  resolve({ path }: TenantRequest): TenantIdentifier | undefined {
    const split = splitTenantPath(path);
    return split && { by: 'slug', value: split.slug };
  }
}
