import { AsyncLocalStorage } from 'node:async_hooks';
import type { Change } from '#libs/persistence';

/** A stretch of work whose changes are counted instead of recorded. */
export class Pause {
  isOver = false;
  readonly #unrecorded = new Map<string, number>();

  constructor(readonly tenantId: string) {}

  count(changes: readonly Change[]): void {
    for (const { meta } of changes) {
      const name = meta.className;
      this.#unrecorded.set(name, (this.#unrecorded.get(name) ?? 0) + 1);
    }
  }

  /** Changed rows by concrete class. */
  get unrecorded(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#unrecorded);
  }
}

const pauses = new AsyncLocalStorage<Pause>();

export function runPaused<T>(pause: Pause, fn: () => T): T {
  return pauses.run(pause, fn);
}

/** The pause that the current call is in; none for what goes on after its end. */
export function findPause(): Pause | undefined {
  const pause = pauses.getStore();
  return pause?.isOver ? undefined : pause;
}
