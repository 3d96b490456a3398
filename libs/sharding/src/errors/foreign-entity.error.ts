import { ShardingError } from './sharding.error.js';

/** An entity that another EntityManager has loaded. Its changes would be written twice, or to the wrong database. */
export class ForeignEntityError extends ShardingError {
  readonly code = 'foreign_entity';

  constructor(readonly entityName: string) {
    super(
      `This ${entityName} belongs to another EntityManager. Load it here, or bring its state over with merge(entity).`,
    );
  }
}
