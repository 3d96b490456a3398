/** The command was called in a way it does not understand. Ends the process with 2. */
export class UsageError extends Error {
  readonly code = 'wrong_usage';
  override readonly name = 'UsageError';
}
