/** Nobody can say how far some databases or places of tenants are; the list says why. */
export class DatabaseUnreadError extends Error {
  readonly code = 'database_unread';
  override readonly name = 'DatabaseUnreadError';

  constructor(readonly databases: readonly string[]) {
    super(`Could not be read: ${databases.join(', ')}.`);
  }
}
