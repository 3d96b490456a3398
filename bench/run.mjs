// `npm run bench [-- name …]`: runs benchmarks beside their controls, prints ratios, writes bench/results/<name>.json.
// Finds and starts database servers like a test run does. `BENCH_ENGINES=sqlite,postgresql` leaves others out.
import './source-hooks.mjs';
// biome-ignore lint/style/noRestrictedImports: the harness of test runs finds the servers; it is no part of the lib's face.
import setUp from '../libs/testing/jest/global-setup.mjs';
// biome-ignore lint/style/noRestrictedImports: as above.
import tearDown from '../libs/testing/jest/global-teardown.mjs';

if (process.env.BENCH_ENGINES) process.env.TEST_ENGINES = process.env.BENCH_ENGINES;
await setUp();
try {
  const { runBenchmarks } = await import('./benchmarks.ts');
  process.exitCode = await runBenchmarks(process.argv.slice(2));
} finally {
  await tearDown();
}
