/**
 * A statement cannot be let through, whoever sends it. Thrown inside the reader and caught at its edge, where it becomes
 * part of the analysis, so that a refused statement is remembered like an accepted one.
 */
export class Refusal extends Error {
  /** @param reason completes "This statement is refused: …" and says what to write instead */
  constructor(readonly reason: string) {
    super(reason);
  }
}
