// @ts-check
// Second step of `npm start`: runs on the Node of node_modules, builds when needed, and becomes the application. There is
// no child process between the terminal and the application, so Ctrl-C reaches it directly and its exit code is npm's.

import module from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildWhenNeeded } from './application-build.mjs';

const root = process.cwd();
const [major = 0] = process.versions.node.split('.').map(Number);

if (major < 24) {
  console.error(
    `Rowhouse runs on Node 24, and this is Node ${process.versions.node}. Start it with "npm start", which brings its own.`,
  );
  process.exitCode = 1;
} else if ((await buildWhenNeeded(root)) === 0) {
  // Stack traces name the TypeScript line. Only ours: the maps of all packages would cost a dozen megabytes.
  module.setSourceMapsSupport(true, { nodeModules: false });
  await import(pathToFileURL(join(root, 'dist/apps/api/src/main.js')).href);
} else {
  process.exitCode = 1;
}
