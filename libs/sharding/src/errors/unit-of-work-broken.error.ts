import { ShardingError } from './sharding.error.js';

/** The unit of work was used after a rollback: its objects claim to be stored and are not. */
export class UnitOfWorkBrokenError extends ShardingError {
  readonly code = 'unit_of_work_broken';

  constructor() {
    super(
      'A transaction of this unit of work was rolled back, so its objects no longer match the databases. Call clear(), or start a new one.',
    );
  }
}
