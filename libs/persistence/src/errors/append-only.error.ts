import { PersistenceError } from './persistence.error.js';

/** A statement would change, delete or forge a row of a table that is only ever appended to. Thrown before it is sent. */
export class AppendOnlyError extends PersistenceError {
  readonly code = 'append_only';

  constructor(readonly table: string) {
    super(
      `Rows of "${table}" are added by the kit and never change. Record what is to be said in a row of its own, through ` +
        'the lib that keeps the table.',
    );
  }
}
