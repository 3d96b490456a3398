import { InvalidSlugError } from './errors/invalid-slug.error.js';

const FORM = /^[a-z][a-z0-9-]{1,38}[a-z0-9]$/;

/** Names that would read as a part of the service itself once a slug becomes a sub-domain or a path. */
const RESERVED = new Set(
  (
    'admin administrator api app assets auth billing cdn central console dashboard docs health help internal livez ' +
    'localhost login logout mail metrics openapi operator platform public readyz register root security signin signup ' +
    'static status support system www'
  ).split(' '),
);

/**
 * Checks that `slug` may name a tenant.
 * Slugs are plain ASCII in small letters, so that no two of them look alike or differ in case only.
 *
 * @throws {InvalidSlugError}
 */
export function assertSlug(slug: string): void {
  // `xn--` is how DNS spells names of other scripts: such a sub-domain would show as something else.
  if (!FORM.test(slug) || slug.startsWith('xn--')) throw new InvalidSlugError(slug, 'form');
  if (RESERVED.has(slug)) throw new InvalidSlugError(slug, 'reserved');
}
