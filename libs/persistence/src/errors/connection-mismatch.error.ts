import { PersistenceError } from './persistence.error.js';

/** A unit of work was to be bound to a connection of another database than that of its EntityManager. Thrown before any SQL. */
export class ConnectionMismatchError extends PersistenceError {
  readonly code = 'connection_mismatch';

  constructor() {
    super(
      'This connection is not one of the EntityManager’s database. Take it from em.getKysely() of the same EntityManager.',
    );
  }
}
