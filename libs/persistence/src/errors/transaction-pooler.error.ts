import { PersistenceError } from './persistence.error.js';

/** Between the application and a database stands a pooler that gives each transaction another connection. */
export class TransactionPoolerError extends PersistenceError {
  readonly code = 'transaction_pooler';

  constructor(readonly database: string) {
    super(
      `"${database}" is reached through a pooler in transaction mode. Locks, migrations and settings of the kit belong to a session, and would go to another one. Let the pooler work in session mode (PgBouncer: pool_mode = session), or give the URL of the server itself.`,
    );
  }
}
