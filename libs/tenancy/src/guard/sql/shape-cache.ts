/** Texts up to this length are statements; longer ones are rows in bulk. */
const LONG = 4096;
/** Longer than any batch; not kept at all. */
const TOO_LONG = 131_072;

/**
 * What is known of statements by their text. Both halves are capped: an application has some hundred shapes, so that only
 * generated texts ever push something out. A few long ones are kept too, because a bulk write sends the same one many
 * times over.
 */
export class ShapeCache<T> {
  readonly #short: TwoGenerations<T>;
  readonly #long = new TwoGenerations<T>(8);

  /** @param size how many short texts are kept at least; at most twice as many */
  constructor(size = 2000) {
    this.#short = new TwoGenerations(size);
  }

  getOrMake(text: string, make: () => T): T {
    if (text.length > TOO_LONG) return make();
    return (text.length > LONG ? this.#long : this.#short).getOrMake(text, make);
  }

  /** Texts kept at present. */
  get size(): number {
    return this.#short.size + this.#long.size;
  }
}

/** The least recently used entries go, by the half: as good as an exact list here, and a hit moves nothing. */
class TwoGenerations<T> {
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  constructor(private readonly generationSize: number) {}

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  getOrMake(text: string, make: () => T): T {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const known = this.#old.get(text) ?? make();
    if (this.#young.size >= this.generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, known);
    return known;
  }
}
