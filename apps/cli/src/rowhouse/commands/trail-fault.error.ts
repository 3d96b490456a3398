import type { TrailFault } from '#libs/audit';

/** A trail did not pass. Ends the command with 1, after its result was printed. */
export class TrailFaultError extends Error {
  readonly code = 'trail_fault';
  override readonly name = 'TrailFaultError';

  constructor({ kind, position, detail }: TrailFault) {
    super(`The trail does not verify: ${kind} at position ${position}, ${detail}.`);
  }
}
