import { PersistenceError } from './persistence.error.js';

/** Change subscribers go on changing rows in reply to changes, so that the transaction cannot commit. */
export class EndlessChangesError extends PersistenceError {
  readonly code = 'endless_changes';

  /** @param rounds how often changes were handed over before giving up */
  constructor(readonly rounds: number) {
    super(
      `Change subscribers still made changes in beforeCommit after ${rounds} rounds. Let a subscriber exclude the rows it writes itself with "wants".`,
    );
  }
}
