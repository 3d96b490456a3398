import { randomUUID } from 'node:crypto';
import { linkSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Makes a file that only its owner may read, whole or not at all: of processes that start at once one makes it, and none
 * ever reads a part of it, not even after one was killed half-way. Synchronous; a file that is there stays as it is.
 */
export function makeFile(path: string, text: string): void {
  // Not of the process's id: containers that share a folder have the same ones.
  const draft = `${path}.${randomUUID()}`;
  try {
    writeFileSync(draft, text, { mode: 0o600 });
    // Unlike a rename it fails when there is a file of that name.
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
