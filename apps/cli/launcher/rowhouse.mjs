// @ts-check
// Second step of `npm run rowhouse`: runs on the Node of node_modules, builds when needed, and becomes the command line.

import module from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildWhenNeeded } from './application-build.mjs';

const root = process.cwd();

if ((await buildWhenNeeded(root)) === 0) {
  module.setSourceMapsSupport(true, { nodeModules: false });
  await import(pathToFileURL(join(root, 'dist/apps/cli/src/rowhouse/main.js')).href);
} else {
  process.exitCode = 1;
}
