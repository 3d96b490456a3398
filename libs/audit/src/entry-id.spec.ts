import { describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { firstEntryIdAt, nextEntryId } from './entry-id.js';

describe('ids of audit entries', () => {
  it('grow, also within a millisecond', () => {
    const ids = Array.from({ length: 5000 }, () => nextEntryId().id);
    expect([...ids].sort()).toEqual(ids);
  });

  it('carry the time that the entry shows', () => {
    const before = Date.now();
    const { id, occurredAt } = nextEntryId();
    expect(occurredAt.getTime()).toBeGreaterThanOrEqual(before);
    expect(firstEntryIdAt(occurredAt) <= id).toBe(true);
    expect(firstEntryIdAt(new Date(occurredAt.getTime() + 1)) > id).toBe(true);
  });

  it('have a lowest one for every time, even one before 1970', () => {
    const time = new Date('2026-01-02T03:04:05.678Z');
    expect(firstEntryIdAt(time) <= uuidv7({ msecs: time.getTime(), random: new Uint8Array(16) })).toBe(true);
    expect(firstEntryIdAt(new Date(-5))).toBe('00000000-0000-7000-8000-000000000000');
  });
});
