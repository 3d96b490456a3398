import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, it } from '@jest/globals';
import { choosePause, pauseAfter } from './retry.js';

it('pauses for anything between nothing and a bound that doubles, up to half a second', () => {
  const longest = [1, 2, 3, 5, 6, 100].map((attempt) => choosePause(attempt, () => 0.999_999));
  expect(longest).toEqual([19, 39, 79, 319, 499, 499]);
  expect(choosePause(5, () => 0)).toBe(0);
});

it('tells those who count, and nobody else', async () => {
  const told: unknown[] = [];
  const listener = (message: unknown) => told.push(message);
  const error = new Error('deadlock');
  subscribe('rowhouse:transaction:retry', listener);
  await pauseAfter(1, error);
  unsubscribe('rowhouse:transaction:retry', listener);
  await pauseAfter(1, error);
  expect(told).toEqual([{ attempt: 1, pauseMs: expect.any(Number), error }]);
});
