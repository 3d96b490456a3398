import type { ShardId } from '../registry/shard-definition.js';

/**
 * One flush of several units of work at once. Each works out its changes, reports whether it has any, and waits until all
 * have reported; then `decide` is asked once, and nobody has sent SQL so far. A failure of one ends all.
 */
export class FlushRound {
  readonly #decision = Promise.withResolvers<void>();
  readonly #dirty: ShardId[] = [];
  #missing: number;

  constructor(
    members: number,
    private readonly decide: (dirty: readonly ShardId[]) => Promise<void>,
  ) {
    this.#missing = members;
    // Members that failed before they came here do not listen.
    this.#decision.promise.catch(() => undefined);
  }

  /** Resolves when this unit of work may send its SQL. */
  report(id: ShardId, isDirty: boolean): Promise<void> {
    if (isDirty) this.#dirty.push(id);
    this.#missing--;
    if (this.#missing === 0) this.decide(this.#dirty).then(this.#decision.resolve, this.#decision.reject);
    return this.#decision.promise;
  }

  /** One member failed before it could report. */
  abort(error: unknown): void {
    this.#decision.reject(error);
  }
}
