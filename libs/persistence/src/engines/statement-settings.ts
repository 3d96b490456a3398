/**
 * Session settings that travel with each statement of a connection pool, instead of being left on its connections: whose
 * rows the statement is about, say. They hold for that statement, or for the transaction it is part of, and nothing stays
 * behind for whoever gets the connection next.
 */
export interface StatementSettings {
  /** Names of the settings, the same for the life of the pool. */
  readonly names: readonly string[];
  /**
   * Their values, in the order of `names`. Called synchronously for each statement, in the context of who sends it; cheap,
   * and it does not throw.
   */
  valuesOf(): readonly string[];
}
