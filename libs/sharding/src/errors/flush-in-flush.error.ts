import { ShardingError } from './sharding.error.js';

/** A flush was started by a listener of a flush. It could only wait for itself. */
export class FlushInFlushError extends ShardingError {
  readonly code = 'flush_in_flush';

  constructor() {
    super(
      'flush() was called from within a flush. Change entities in beforeFlush or onFlush instead; they are still picked up.',
    );
  }
}
