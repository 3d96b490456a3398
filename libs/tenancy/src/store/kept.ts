interface Entry<T> {
  readonly value: T;
  readonly staleAt: number;
}

/** What was read from the central database and is used again for a while. Bounded; the oldest goes first. */
export class Kept<T> {
  readonly #entries = new Map<string, Entry<T>>();
  /** Grows with everything forgotten: what was being read meanwhile may be of before. */
  #forgotten = 0;

  /** @param onDrop  told of each value that goes */
  constructor(
    private readonly ttlMs: number,
    private readonly size: number,
    private readonly onDrop: (value: T) => void = () => undefined,
  ) {}

  find(key: string): T | undefined {
    return this.has(key) ? this.#entries.get(key)?.value : undefined;
  }

  has(key: string): boolean {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.staleAt > Date.now();
  }

  /** Call before asking the database, so that an answer which a change has overtaken serves once and is not kept. */
  startReading(): { keep(key: string, value: T): T } {
    const forgotten = this.#forgotten;
    return {
      keep: (key, value) => {
        if (forgotten === this.#forgotten) this.#keep(key, value);
        return value;
      },
    };
  }

  /** Forgets one, or with `undefined` all. */
  forget(key: string | undefined): void {
    this.#forgotten++;
    if (key !== undefined) this.#drop(key);
    else for (const each of this.#entries.keys()) this.#drop(each);
  }

  #keep(key: string, value: T): void {
    // A Map keeps insertion order; ten thousand tenants are some ten megabytes.
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= this.size && oldest !== undefined) this.#drop(oldest);
    this.#entries.set(key, { value, staleAt: Date.now() + this.ttlMs });
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    this.#entries.delete(key);
    if (entry) this.onDrop(entry.value);
  }
}
