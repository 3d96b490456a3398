import { SLOT_COUNT, type Slot } from '#libs/sharding';
import { UsageError } from '../usage.error.js';

/**
 * Slots by number and range, `7`, `0-99,200`, each once and ascending.
 * @throws {UsageError}
 */
export function parseSlots(text: string): Slot[] {
  const slots = text.split(',').flatMap((part) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (!(from <= to && to < SLOT_COUNT)) {
      throw new UsageError(`"${part}" is no slot: give numbers from 0 to ${SLOT_COUNT - 1}, such as 7 or 0-99,200.`);
    }
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
  return [...new Set(slots)].sort((a, b) => a - b);
}
