import type { Comparison, Contender } from './benchmark.js';

/** What one contender cost. */
export interface Measurement {
  readonly name: string;
  /** Median of the rounds. */
  readonly wallMs: number;
  readonly minWallMs: number;
  readonly maxWallMs: number;
  /** CPU time of this process, without servers: median. */
  readonly cpuMs: number;
  /** Median of the rounds' ratios to the control of the same round, so that a slow moment of the machine hits both. */
  readonly ratio: number;
  readonly budget?: number;
}

export interface ComparisonResult {
  readonly title: string;
  readonly rounds: number;
  readonly measurements: readonly Measurement[];
  readonly remarks: readonly string[];
}

interface Round {
  readonly wallMs: number;
  readonly cpuMs: number;
}

const DEFAULT_ROUNDS = 7;
const DEFAULT_WARM_UP_ROUNDS = 2;

async function runOnce({ prepare, run, verify }: Contender): Promise<Round> {
  await prepare?.();
  globalThis.gc?.();
  const cpu = process.cpuUsage();
  const start = performance.now();
  const own = await run();
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  await verify?.();
  return { wallMs: own?.wallMs ?? wallMs, cpuMs: own?.cpuMs ?? (user + system) / 1000 };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return (low + high) / 2;
}

/** Runs every contender once a round, in an order that turns, so that none always follows the same one. */
export async function measure(comparison: Comparison): Promise<ComparisonResult> {
  const { title, control, contenders, budgets, by = 'wall', rounds = DEFAULT_ROUNDS } = comparison;
  const { warmUpRounds = DEFAULT_WARM_UP_ROUNDS } = comparison;
  const all = [control, ...contenders];
  const taken = all.map((): Round[] => []);
  for (let round = 0; round < warmUpRounds + rounds; round++) {
    for (let step = 0; step < all.length; step++) {
      const turn = (round + step) % all.length;
      const result = await runOnce(all[turn] as Contender);
      if (round >= warmUpRounds) taken[turn]?.push(result);
    }
  }
  const costOf = ({ wallMs, cpuMs }: Round) => (by === 'cpu' ? cpuMs : wallMs);
  const [controls = []] = taken.map((rounds) => rounds.map(costOf));
  const measurements = all.map(({ name }, index): Measurement => {
    const own = taken[index] ?? [];
    const walls = own.map(({ wallMs }) => wallMs);
    const budget = budgets?.[name];
    return {
      name,
      wallMs: median(walls),
      minWallMs: Math.min(...walls),
      maxWallMs: Math.max(...walls),
      cpuMs: median(own.map(({ cpuMs }) => cpuMs)),
      ratio: median(own.map((it, round) => costOf(it) / (controls[round] ?? Number.NaN))),
      ...(budget !== undefined && { budget }),
    };
  });
  return { title, rounds, measurements, remarks: (await comparison.remarks?.()) ?? [] };
}
