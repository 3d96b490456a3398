import { describe, expect, it } from '@jest/globals';
import { validate, version } from 'uuid';
import { newId } from './new-id.js';

describe('newId', () => {
  it('makes version 7 UUIDs that differ and grow, many within a millisecond', () => {
    const ids = Array.from({ length: 5_000 }, newId);
    expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
  });

  it('goes on growing when the clock is set back', () => {
    const now = Date.now;
    const before = newId();
    try {
      Date.now = () => now() - 3_600_000;
      expect(newId() > before).toBe(true);
    } finally {
      Date.now = now;
    }
  });

  it('says when it was made', () => {
    const made = Number.parseInt(newId().replaceAll('-', '').slice(0, 12), 16);
    expect(Math.abs(Date.now() - made)).toBeLessThan(3_600_001);
  });
});
