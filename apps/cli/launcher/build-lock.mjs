// @ts-check
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const PATIENCE_MS = 120_000;

/**
 * Runs `fn` while no other process builds in this folder: two starts at once would empty `dist` under each other.
 * A lock whose process is gone does not count.
 *
 * @template T
 * @param {string} root
 * @param {() => Promise<T>} fn
 * @returns {Promise<T>}
 * @throws when another process holds the lock for two minutes
 */
export async function withBuildLock(root, fn) {
  const file = join(root, '.build-lock');
  const givesUpAt = performance.now() + PATIENCE_MS;
  while (!tryLock(file)) {
    const holder = findHolder(file);
    if (holder === undefined) rmSync(file, { force: true });
    else if (performance.now() > givesUpAt)
      throw new Error(`Process ${holder} is building. If it is not, delete ${file}.`);
    else await delay(50);
  }
  try {
    return await fn();
  } finally {
    rmSync(file, { force: true });
  }
}

/** @param {string} file */
function tryLock(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * @param {string} file
 * @returns {number | undefined} the process that holds the lock, if it lives
 */
function findHolder(file) {
  let holder;
  try {
    holder = Number(readFileSync(file, 'utf8'));
    process.kill(holder, 0);
  } catch (error) {
    // EPERM: it lives, as another user.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EPERM') return undefined;
  }
  return holder;
}
