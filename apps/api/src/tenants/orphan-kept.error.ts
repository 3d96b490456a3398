/** What was to be removed is no orphan, or may still become a tenant's. For operators on the command line. */
export class OrphanKeptError extends Error {
  readonly code = 'orphan_kept';
  override readonly name = 'OrphanKeptError';

  constructor(
    readonly orphan: string,
    because: string,
  ) {
    super(`"${orphan}" is not removed: ${because}`);
  }
}
