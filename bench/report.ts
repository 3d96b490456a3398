import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { ComparisonResult, Measurement } from './measure.js';

function verdictOf({ ratio, budget }: Measurement): string {
  if (budget === undefined) return '';
  return ratio <= budget ? `≤ ${budget} ok` : `≤ ${budget} MISSED`;
}

/** One comparison as a table: the control first. */
export function tableOf({ title, measurements, rounds, remarks }: ComparisonResult): string {
  const rows = measurements.map((it) => [
    it.name,
    `${it.ratio.toFixed(2)}×`,
    `${it.wallMs.toFixed(1)} ms`,
    `${it.minWallMs.toFixed(1)}–${it.maxWallMs.toFixed(1)}`,
    `${it.cpuMs.toFixed(1)} ms`,
    verdictOf(it),
  ]);
  const lines = [['', 'ratio', 'median', 'min–max', 'cpu', 'budget'], ...rows];
  const widths = lines[0]?.map((_, c) => Math.max(...lines.map((line) => line[c]?.length ?? 0))) ?? [];
  const text = lines.map((line) => `  ${line.map((cell, c) => cell.padEnd(widths[c] ?? 0)).join('  ')}`.trimEnd());
  return [`${title} (${rounds} rounds)`, ...text, ...remarks.map((remark) => `  ${remark}`), ''].join('\n');
}

/** Keeps the figures, and on what they were taken, in `bench/results/<name>.json`. */
export function writeResults(name: string, comparisons: readonly ComparisonResult[]): string {
  const folder = new URL('./results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const file = new URL(`${name}.json`, folder);
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length };
  writeFileSync(file, `${JSON.stringify({ at: new Date().toISOString(), ...machine, comparisons }, null, 2)}\n`);
  return `bench/results/${name}.json`;
}
