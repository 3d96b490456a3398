/** What the work cost where it was done: in another process, not in this one that asks it. */
export interface OwnCost {
  readonly cpuMs: number;
  /** Default: as long as the call took. */
  readonly wallMs?: number;
}

/** One way to do a piece of work. */
export interface Contender {
  readonly name: string;
  /** Before each round, outside the measurement: empties tables, makes rows. */
  prepare?(): Promise<void> | void;
  /** @returns the cost in another process that did the work, if one did */
  run(): Promise<OwnCost | undefined> | Promise<void> | void;
  /** After each round, outside the measurement: throws unless the work was done, and done right. */
  verify?(): Promise<void> | void;
}

/** Ways to do the same piece of work, measured in turn. Ratios are against the first one, the control. */
export interface Comparison {
  readonly title: string;
  readonly control: Contender;
  readonly contenders: readonly Contender[];
  /** Most a contender may cost, as a multiple of the control; by name. */
  readonly budgets?: Readonly<Record<string, number>>;
  readonly rounds?: number;
  /** Rounds before the first one that counts: they compile code and fill caches. Default 2. */
  readonly warmUpRounds?: number;
  /** What ratios are made of. Default `wall`. */
  readonly by?: 'wall' | 'cpu';
  /** Figures that are no times, taken after the last round; one line each. */
  remarks?(): Promise<readonly string[]> | readonly string[];
  /** Closes what the comparison opened. */
  close?(): Promise<void> | void;
}

/** A named set of comparisons. They are opened one after the other, so that an idle one does not disturb. */
export interface Benchmark {
  readonly name: string;
  readonly about: string;
  comparisons(): AsyncIterable<Comparison>;
}
