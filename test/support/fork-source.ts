import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Starts a module of the sources as a process of its own, which can be killed.
 *
 * @param url  of the module, such as `new URL('./writer-child.ts', import.meta.url)`
 * @param environment  what the child is told beyond this process's environment
 */
export function forkSource(url: URL, environment: Readonly<Record<string, string>> = {}): ChildProcess {
  const hooks = fileURLToPath(new URL('../../bench/source-hooks.mjs', import.meta.url));
  return fork(fileURLToPath(url), {
    execArgv: ['--conditions=source', '--disable-warning=ExperimentalWarning', '--import', hooks],
    env: { ...process.env, ...environment },
  });
}
