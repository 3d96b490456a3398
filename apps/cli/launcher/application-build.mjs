// @ts-check
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withBuildLock } from './build-lock.mjs';
import { startProgressLine } from './progress-line.mjs';
import { runCaptured } from './run-captured.mjs';

/** What the compiler reads: folders of sources and assets, and the settings beside them. */
const SOURCE_FOLDERS = ['apps', 'libs', 'database'];
const SETTINGS = ['package.json', 'nest-cli.json', '.swcrc', 'tsconfig.json'];

/** Tests, pages and this launcher do not reach the build, so a change to them costs nothing. */
const isSource = (/** @type {string} */ path) => /\.(?!md$|mjs$)\w+$/.test(path) && !path.endsWith('spec.ts');

/** Holds the fingerprint of the sources of a finished build. The compiler empties `dist` first, this is written last. */
const STAMP = 'dist/.build-stamp';

/**
 * Names the state of all sources by path, size and time of change. Contents are not read: this runs at every start.
 * Unlike "is any file newer than the build" it also sees a file that is gone, or older because it was restored.
 *
 * @param {string} root
 */
function fingerprintSources(root) {
  const hash = createHash('sha256');
  const sources = SOURCE_FOLDERS.filter((folder) => existsSync(join(root, folder))).flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(isSource)
      .map((path) => join(folder, path)),
  );
  for (const path of [...sources.sort(), ...SETTINGS]) {
    const { mtimeMs, size } = statSync(join(root, path));
    hash.update(`${path}\0${mtimeMs}\0${size}\n`);
  }
  return hash.digest('hex');
}

/**
 * Whether `dist` was built, to the end, from the sources as they are.
 *
 * @param {string} root
 */
function isBuildCurrent(root) {
  try {
    return readFileSync(join(root, STAMP), 'utf8') === fingerprintSources(root);
  } catch {
    return false;
  }
}

/**
 * Compiles the application into `dist`, unless that is current.
 *
 * @param {string} root
 * @returns {Promise<number>} exit code: 0 when built
 */
export async function buildWhenNeeded(root) {
  if (isBuildCurrent(root)) return 0;
  // Asked again inside: the build that was waited for may have been this one.
  return withBuildLock(root, async () => (isBuildCurrent(root) ? 0 : compile(root)));
}

/**
 * Compiles the application into `dist`, current or not.
 *
 * @param {string} root
 * @returns {Promise<number>} exit code: 0 when built
 */
export async function build(root) {
  return withBuildLock(root, () => compile(root));
}

/** @param {string} root */
async function compile(root) {
  // Taken before compiling, so that a file saved meanwhile counts as changed at the next start.
  const fingerprint = fingerprintSources(root);
  const progress = startProgressLine('Building');
  const nest = join(root, 'node_modules/@nestjs/cli/bin/nest.js');
  const { code, output } = await runCaptured(process.execPath, [nest, 'build', 'api'], root);
  if (code !== 0) {
    progress.fail();
    console.error(output.trimEnd());
    console.error('\nThe build failed: the compiler says where above. Repair that and run the command again.');
    return 1;
  }
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(join(root, STAMP), fingerprint);
  progress.succeed();
  return 0;
}
