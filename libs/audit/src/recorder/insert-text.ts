/** Texts that are kept, so that a driver which keeps statements by their text finds them again. */
const KEPT = 32;

/**
 * The SQL of one insert for any number of rows, made from the SQL for one. A query builder would build it anew for each
 * number, which for a thousand rows takes longer than the insert.
 */
export class InsertText {
  readonly #head: string;
  readonly #tuple: string;
  readonly #parameters: number;
  readonly #texts = new Map<number, string>();

  /** @param one  `insert into … values (?, ?)` or `… values ($1, $2)` */
  constructor(one: string) {
    const at = one.lastIndexOf('(');
    this.#head = one.slice(0, at);
    this.#tuple = one.slice(at);
    this.#parameters = this.#tuple.split(',').length;
  }

  forRows(count: number): string {
    const text = this.#texts.get(count) ?? this.#make(count);
    // Last used, last dropped.
    this.#texts.delete(count);
    this.#texts.set(count, text);
    for (const oldest of this.#texts.keys()) {
      if (this.#texts.size <= KEPT) break;
      this.#texts.delete(oldest);
    }
    return text;
  }

  #make(count: number): string {
    const isNumbered = this.#tuple.includes('$1');
    const tuples = Array.from({ length: count }, (_, row) =>
      isNumbered
        ? this.#tuple.replaceAll(/\d+/g, (number) => `${Number(number) + row * this.#parameters}`)
        : this.#tuple,
    );
    return this.#head + tuples.join(', ');
  }
}
