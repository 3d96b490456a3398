import { fork } from 'node:child_process';
import { once } from 'node:events';

export const ROWS = 1_000_000;
export const tenant = { id: '01900000-0000-7000-8000-000000000001', slug: 'acme' };
export const fields = ['id', 'reference', 'subject', 'amount', 'cleared', 'bookedAt'] as const;

/** Memory of a process that worked on rows. */
export interface Growth {
  readonly idleMb: number;
  /** At most, above idle. */
  readonly grownMb: number;
  /** What was still alive at the end. */
  readonly liveMb: number;
}

/** As `npm start` has it: a server that keeps little garbage of requests. */
const FLAGS = [
  '--expose-gc',
  '--conditions=source',
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=2',
];

/** Writes all rows of the bench (`in`), or reads them (`out`), in a process of its own. */
export async function memoryOf(url: string, direction: 'in' | 'out'): Promise<Growth> {
  const hooks = new URL('../source-hooks.mjs', import.meta.url).href;
  const file = new URL('./memory.process.ts', import.meta.url);
  const child = fork(file, [url, direction], { execArgv: [...FLAGS, '--import', hooks] });
  const told = once(child, 'message') as Promise<[Growth]>;
  const ended = once(child, 'exit').then(([code]) => {
    if (code !== 0) throw new Error(`The process that measures memory ended with ${code}.`);
  });
  const [[growth]] = await Promise.all([told, ended]);
  return growth;
}
