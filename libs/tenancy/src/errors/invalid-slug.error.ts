import { TenancyError } from './tenancy.error.js';

/** A slug that no tenant may have. */
export class InvalidSlugError extends TenancyError {
  readonly code = 'invalid_slug';

  constructor(
    readonly slug: string,
    readonly because: 'form' | 'reserved',
  ) {
    super(
      because === 'reserved'
        ? `The slug "${slug}" is reserved, or easily taken for one that is. Choose another one.`
        : 'A slug has 3 to 40 characters: a small letter first, then small letters, digits or hyphens, and no hyphen last; not two hyphens after the second.',
    );
  }
}
