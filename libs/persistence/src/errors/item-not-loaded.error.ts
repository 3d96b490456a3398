import { PersistenceError } from './persistence.error.js';

/** An item was to leave a collection that is not loaded, and nobody knows whether it is in there. Nothing was changed. */
export class ItemNotLoadedError extends PersistenceError {
  readonly code = 'item_not_loaded';

  constructor(
    /** `Order.lines` */
    readonly collection: string,
  ) {
    super(
      `An item is to leave "${collection}", which is not loaded, and the item is not either: nobody knows whose it is. ` +
        'Load the item first.',
    );
  }
}
