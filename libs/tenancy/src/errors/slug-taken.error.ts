import { TenancyError } from './tenancy.error.js';

/** Another tenant has this slug, or one that is easily taken for it. */
export class SlugTakenError extends TenancyError {
  readonly code = 'slug_taken';

  constructor(
    readonly slug: string,
    options?: ErrorOptions,
  ) {
    super(`The slug "${slug}" is taken, or easily taken for one that is. Choose another one.`, options);
  }
}
