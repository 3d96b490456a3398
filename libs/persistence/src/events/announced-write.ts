import { AsyncLocalStorage } from 'node:async_hooks';
import type { EventManager } from '@mikro-orm/core';

/**
 * How rows are written so that everybody who wants to know of it does: by a flush, by a bulk write, or by `appendRows` to
 * a table that is only ever appended to.
 */
export type AnnouncedWay = 'flush' | 'bulk' | 'append';

const ways = new AsyncLocalStorage<AnnouncedWay | undefined>();
const quiet = new WeakSet<EventManager>();

/**
 * Runs `fn` as a write whose changes are announced to change subscribers. Statements sent outside of one are refused by
 * the guard where somebody wants to know of them, so this is called by whoever announces: an EntityManager's flush, and
 * each statement of a bulk write.
 */
export function runAnnounced<T>(way: AnnouncedWay, fn: () => T): T {
  return ways.run(way, fn);
}

/** How the current statement's changes are announced; `undefined` when they are not. */
export function findAnnouncedWay(): AnnouncedWay | undefined {
  return ways.getStore();
}

/**
 * Lets hooks and event subscribers run outside of the write that calls them: what they send themselves is announced by
 * nobody. May be called again for the same event manager.
 */
export function keepHooksApart(events: EventManager): void {
  if (quiet.has(events)) return;
  quiet.add(events);
  const dispatch = events.dispatchEvent.bind(events);
  events.dispatchEvent = ((...args: Parameters<typeof dispatch>) =>
    ways.getStore() === undefined
      ? dispatch(...args)
      : ways.run(undefined, () => dispatch(...args))) as typeof dispatch;
}
