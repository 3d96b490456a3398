// @ts-check
import { spawn } from 'node:child_process';

/**
 * Runs a command to its end and keeps what it prints, so that it can be shown whole when it fails and not at all when it
 * succeeds. Never rejects: a command that cannot be started gives code 127 and the reason.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 * @returns {Promise<{ code: number, output: string }>}
 */
export function runCaptured(command, args, cwd) {
  return new Promise((resolve) => {
    // Windows finds "npm.cmd" only through a shell.
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], shell: command === 'npm' });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
        output += text;
      });
    }
    child.on('error', (error) => resolve({ code: 127, output: `${output}${error.message}\n` }));
    // A command ended by a signal has no code; it did not succeed either.
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
