/** Some databases could not be brought up to date; the others were. */
export class MigrationFailedError extends Error {
  readonly code = 'migration_failed';
  override readonly name = 'MigrationFailedError';

  constructor(readonly databases: readonly string[]) {
    super(`Not brought up to date: ${databases.join(', ')}. Repeat the command when the cause is gone.`);
  }
}
