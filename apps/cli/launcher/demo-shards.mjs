// @ts-check
// Second step of `npm run demo:shards`: runs on the Node of node_modules, builds when needed, and becomes the demo.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildWhenNeeded } from './application-build.mjs';

const root = process.cwd();

if ((await buildWhenNeeded(root)) === 0) {
  await import(pathToFileURL(join(root, 'dist/apps/cli/src/demo-shards/main.js')).href);
} else {
  process.exitCode = 1;
}
