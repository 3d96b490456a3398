import type { EngineName } from '#libs/persistence';

/** The statements of a new migration do not do what they are for. Nothing was written. */
export class MigrationUnprovenError extends Error {
  readonly code = 'migration_unproven';
  override readonly name = 'MigrationUnprovenError';

  constructor(
    readonly engine: EngineName,
    readonly direction: 'up' | 'down',
    /** What is not as it should be afterwards, a line each. */
    readonly differences: readonly string[],
  ) {
    super(
      `On ${engine} the migration that was made does not bring ${direction === 'up' ? 'what the entities say' : 'back what was there'}: ` +
        `${differences.join('; ')}. Write it by hand.`,
    );
  }
}
