/** A small seeded generator (mulberry32): a failing case is repeated by its seed. */
export class Random {
  #state: number;

  constructor(readonly seed: number) {
    this.#state = seed;
  }

  /** An integer from 0 to `below` - 1. */
  integer(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.integer(values.length)] as T;
  }

  chance(percent: number): boolean {
    return this.integer(100) < percent;
  }

  /** A few of them, in random order. */
  some<T>(values: readonly T[], most: number): T[] {
    const left = [...values];
    return Array.from({ length: 1 + this.integer(most) }, () => left.splice(this.integer(left.length), 1)[0] as T);
  }
}
