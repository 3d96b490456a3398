import { InvalidSlugError } from './errors/invalid-slug.error.js';

const FORM = /^[a-z][a-z0-9-]{1,38}[a-z0-9]$/;
/** DNS keeps labels with hyphens there for itself; `xn--` spells names of other scripts, which show as something else. */
const KEPT_BY_DNS = /^..--/;

/** Names that would read as a part of the service itself once a slug becomes a sub-domain or a path. */
const RESERVED = new Set(
  (
    'admin administrator api app assets auth billing cdn central console dashboard docs health help internal livez ' +
    'localhost login logout mail metrics openapi operator platform public readyz register root security signin signup ' +
    'static status support system www'
  ).split(' '),
);

/** What is easily read as something else, and as what. Slugs are plain ASCII, so other scripts have no say here. */
const READ_AS: readonly (readonly [written: RegExp, read: string])[] = [
  [/0/g, 'o'],
  [/[1i]/g, 'l'],
  [/rn/g, 'm'],
  [/vv/g, 'w'],
  [/-+/g, '-'],
];

/**
 * What a slug looks like at a glance: two slugs of one look are easily taken for each other (`acme`, `acrne`), so that one
 * of them could ask for the other's passwords.
 *
 * @see Unicode TR 39, whose skeletons do this for all scripts
 */
export function lookOf(slug: string): string {
  return READ_AS.reduce((look, [written, read]) => look.replace(written, read), slug);
}

const RESERVED_LOOKS = new Set([...RESERVED].map(lookOf));

/** Whether a name is the service's own, and no tenant's. */
export function isReservedSlug(slug: string): boolean {
  return RESERVED.has(slug);
}

/**
 * Checks that `slug` may name a tenant.
 * @throws {InvalidSlugError}
 */
export function assertSlug(slug: string): void {
  if (!FORM.test(slug) || KEPT_BY_DNS.test(slug)) throw new InvalidSlugError(slug, 'form');
  if (RESERVED_LOOKS.has(lookOf(slug))) throw new InvalidSlugError(slug, 'reserved');
}
