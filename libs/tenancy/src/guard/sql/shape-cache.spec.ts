import { describe, expect, it } from '@jest/globals';
import { ShapeCache } from './shape-cache.js';

describe('ShapeCache', () => {
  it('makes a value once per text', () => {
    const cache = new ShapeCache<object>();
    const made = cache.getOrMake('a', () => ({}));
    expect(cache.getOrMake('a', () => ({}))).toBe(made);
  });

  it('keeps what is used and forgets what is not', () => {
    const cache = new ShapeCache<number>(10);
    const hot = () => cache.getOrMake('hot', () => 1);
    hot();
    for (let i = 0; i < 1000; i++) {
      cache.getOrMake(`cold ${i}`, () => i);
      expect(hot()).toBe(1);
    }
    expect(cache.size).toBeLessThanOrEqual(20);
    expect(cache.getOrMake('cold 0', () => -1)).toBe(-1);
  });

  it('keeps few long texts and no endless ones', () => {
    const cache = new ShapeCache<number>();
    for (let i = 0; i < 100; i++) cache.getOrMake(`${i}`.padEnd(10_000), () => i);
    expect(cache.size).toBeLessThanOrEqual(16);
    cache.getOrMake('x'.repeat(200_000), () => 1);
    expect(cache.getOrMake('x'.repeat(200_000), () => 2)).toBe(2);
  });
});
