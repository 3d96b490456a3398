import type { TestEngine } from '#libs/testing';
import type { IsolationCase } from '../isolation-case.js';
import { byPassesOf } from './by-passes.js';
import { memory } from './memory.js';
import { nobody } from './nobody.js';
import { reads } from './reads.js';
import { statements } from './statements.js';
import { writes } from './writes.js';

/** Every class of attempts on an engine, by its name. */
export function classesOf({ name }: TestEngine): readonly [string, readonly IsolationCase[]][] {
  return [
    ['reads', reads],
    ['writes', writes],
    ['statements', statements],
    ['by-passes', byPassesOf(name)],
    ['memory', memory],
    ['nobody', nobody],
  ];
}
