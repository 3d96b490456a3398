/** Some places are as they were. The others are up to date. */
export class MigrationFailedError extends Error {
  readonly code = 'migration_failed';
  override readonly name = 'MigrationFailedError';

  constructor(readonly places: readonly string[]) {
    super(`Not brought up to date: ${places.join(', ')}. Repair what the list names, and run this again.`);
  }
}
