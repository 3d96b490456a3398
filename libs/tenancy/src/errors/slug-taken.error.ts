import { TenancyError } from './tenancy.error.js';

/** Another tenant has this slug already. */
export class SlugTakenError extends TenancyError {
  readonly code = 'slug_taken';

  constructor(
    readonly slug: string,
    options?: ErrorOptions,
  ) {
    super(`The slug "${slug}" is taken. Choose another one.`, options);
  }
}
