// `npm run bench [-- name …]`: runs benchmarks beside their controls, prints ratios, writes bench/results/<name>.json.
// Finds and starts database servers like a test run does. `BENCH_ENGINES=sqlite,postgresql` leaves others out.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';
// biome-ignore lint/style/noRestrictedImports: the harness of test runs finds the servers; it is no part of the lib's face.
import setUp from '../libs/testing/jest/global-setup.mjs';
// biome-ignore lint/style/noRestrictedImports: as above.
import tearDown from '../libs/testing/jest/global-teardown.mjs';

/** Benchmarks measure the sources as they are; the options are those of the build. */
const swc = JSON.parse(readFileSync(new URL('../.swcrc', import.meta.url), 'utf8'));
delete swc.$schema;

registerHooks({
  resolve(specifier, context, next) {
    const isOurs = context.parentURL?.endsWith('.ts') && /^\.{1,2}\//.test(specifier);
    return next(isOurs ? specifier.replace(/\.js$/, '.ts') : specifier, context);
  },
  load(url, context, next) {
    if (!url.endsWith('.ts')) return next(url, context);
    const filename = fileURLToPath(url);
    const { code } = transformSync(readFileSync(filename, 'utf8'), {
      ...swc,
      filename,
      swcrc: false,
      sourceMaps: 'inline',
    });
    return { format: 'module', source: code, shortCircuit: true };
  },
});

if (process.env.BENCH_ENGINES) process.env.TEST_ENGINES = process.env.BENCH_ENGINES;
await setUp();
try {
  const { runBenchmarks } = await import('./benchmarks.ts');
  process.exitCode = await runBenchmarks(process.argv.slice(2));
} finally {
  await tearDown();
}
