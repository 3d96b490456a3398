/** Some databases or places of tenants could not be brought up to date; the others were. */
export class MigrationFailedError extends Error {
  readonly code = 'migration_failed';
  override readonly name = 'MigrationFailedError';

  constructor(readonly databases: readonly string[]) {
    super(`Not brought up to date: ${databases.join(', ')}. Repair what the list names, and run this again.`);
  }
}
