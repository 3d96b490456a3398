// @ts-check
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProgressLine } from './progress-line.mjs';
import { runCaptured } from './run-captured.mjs';

/** @typedef {{ version?: string, link?: boolean, optional?: boolean }} LockedPackage */
/** @typedef {Record<string, LockedPackage>} LockedPackages */

/** npm's codes for "the registry did not answer", as they stand in its error output. */
const NETWORK_FAILURE =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|E?TIMEDOUT|ERR_SOCKET_TIMEOUT|EIDLETIMEOUT)\b/;

/**
 * Which locked packages `node_modules` lacks or holds in another version. Optional ones may be absent, since most are
 * builds for other platforms; when present they must agree too.
 *
 * @param {LockedPackages} locked     `packages` of package-lock.json
 * @param {LockedPackages} installed  `packages` of node_modules/.package-lock.json, which npm writes last of all
 * @returns {string[]} their paths, such as `node_modules/jest`
 */
export function findDisagreements(locked, installed) {
  return Object.entries(locked)
    .filter(([path, wanted]) => {
      if (path === '') return false;
      const found = installed[path];
      return found ? found.version !== wanted.version : !wanted.optional;
    })
    .map(([path]) => path);
}

/**
 * Runs `npm ci` when `node_modules` does not agree with the lock file; does nothing, in some milliseconds, when it does.
 * Its own output goes to stderr, because the command that follows may print data on stdout.
 *
 * @param {string} root  folder of package-lock.json
 * @returns {Promise<number>} exit code: 0 when everything is installed
 */
export async function installMissingPackages(root) {
  const locked = readPackages(join(root, 'package-lock.json'));
  if (!locked) {
    console.error('package-lock.json is missing or is not JSON. Restore it with "git checkout package-lock.json".');
    return 1;
  }
  const missing = findDisagreements(locked, readPackages(join(root, 'node_modules/.package-lock.json')) ?? {});
  if (missing.length === 0) return 0;

  const progress = startProgressLine(`Installing packages (npm ci, ${missing.length} to fetch or change)`);
  const { code, output } = await runCaptured(...npmCommand(), root);
  if (code === 0) {
    progress.succeed();
    return 0;
  }
  progress.fail();
  console.error(output.trimEnd());
  console.error(`\n${explainFailure(output)}`);
  return 1;
}

/** @param {string} output everything npm printed */
export function explainFailure(output) {
  const [network] = output.match(NETWORK_FAILURE) ?? [];
  return network
    ? `The package registry cannot be reached (${network}). Check the network or npm's proxy setting and run the command again.`
    : 'The packages could not be installed: npm says why above. Run the command again once that is repaired.';
}

/**
 * @param {string} file
 * @returns {LockedPackages | undefined} nothing when the file is absent or half written
 */
function readPackages(file) {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
  } catch {
    return undefined;
  }
}

/**
 * npm as it was called, run by the Node it was called with: `npm ci` deletes node_modules, and with it the Node that may
 * be running this file.
 *
 * @returns {[command: string, args: string[]]}
 */
function npmCommand() {
  // "error" hides EBADENGINE, of which an old host Node gives one per package though only the installed Node counts.
  // Development packages are asked for by name: NODE_ENV=production would leave out the compiler and Node itself.
  const args = ['ci', '--include=dev', '--loglevel=error', '--no-audit', '--no-fund'];
  const { npm_execpath: npm, npm_node_execpath: node } = process.env;
  return npm?.endsWith('.js') ? [node ?? process.execPath, [npm, ...args]] : ['npm', args];
}
