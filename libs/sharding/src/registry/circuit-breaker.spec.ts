import { describe, expect, it } from '@jest/globals';
import { CircuitBreaker } from './circuit-breaker.js';

function aBreaker() {
  const clock = { now: 0 };
  const breaker = new CircuitBreaker({ failures: 3, pauseMs: 1000, now: () => clock.now });
  const fail = (times: number) => {
    for (let i = 0; i < times; i++) breaker.failed();
  };
  return { clock, breaker, fail };
}

describe('CircuitBreaker', () => {
  it('opens after so many failures in a row, and not after as many with an answer in between', () => {
    const { breaker, fail } = aBreaker();
    fail(2);
    breaker.succeeded();
    fail(2);
    expect(breaker.admit()).toBe('go');
    fail(1);
    expect(breaker.admit()).toBe('stay');
  });

  it('says how long to stay away', () => {
    const { breaker, clock, fail } = aBreaker();
    expect(breaker.retryAfterMs).toBe(0);
    fail(3);
    clock.now = 400;
    expect(breaker.retryAfterMs).toBe(600);
  });

  it('lets one caller try after the pause, and closes when it succeeds', () => {
    const { breaker, clock, fail } = aBreaker();
    fail(3);
    clock.now = 999;
    expect(breaker.admit()).toBe('stay');
    clock.now = 1000;
    expect([breaker.admit(), breaker.admit()]).toEqual(['try', 'stay']);
    expect(breaker.retryAfterMs).toBe(1000);
    breaker.succeeded();
    expect([breaker.admit(), breaker.admit()]).toEqual(['go', 'go']);
  });

  it('tells its state', () => {
    const { breaker, clock, fail } = aBreaker();
    expect(breaker.state).toBe('closed');
    fail(3);
    expect(breaker.state).toBe('open');
    clock.now = 1000;
    expect(breaker.state).toBe('half-open');
    breaker.admit();
    expect(breaker.state).toBe('half-open');
    breaker.succeeded();
    expect(breaker.state).toBe('closed');
  });

  it('lets the next one try when the one that tries gives up', () => {
    const { breaker, clock, fail } = aBreaker();
    fail(3);
    clock.now = 1000;
    expect([breaker.admit(), breaker.admit()]).toEqual(['try', 'stay']);
    breaker.gaveUp();
    expect([breaker.admit(), breaker.admit()]).toEqual(['try', 'stay']);
  });

  it('pauses again when the one that tries fails, whatever else comes in late', () => {
    const { breaker, clock, fail } = aBreaker();
    fail(3);
    clock.now = 1000;
    expect(breaker.admit()).toBe('try');
    fail(1);
    expect(breaker.admit()).toBe('stay');
    clock.now = 5000;
    breaker.failed('try');
    expect(breaker.admit()).toBe('stay');
    expect(breaker.retryAfterMs).toBe(1000);
    clock.now = 6000;
    expect(breaker.admit()).toBe('try');
  });

  it('does not move the end of a pause for stragglers', () => {
    const { breaker, clock, fail } = aBreaker();
    fail(3);
    clock.now = 900;
    fail(5);
    clock.now = 1000;
    expect(breaker.admit()).toBe('try');
  });

  it('closes when a straggler succeeds after all', () => {
    const { breaker, fail } = aBreaker();
    fail(3);
    breaker.succeeded();
    expect(breaker.admit()).toBe('go');
  });
});
