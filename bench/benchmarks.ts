import { audit } from './audit/audit.bench.js';
import { auditSealing } from './audit/sealing.bench.js';
import type { Benchmark } from './benchmark.js';
import { bulk, flush } from './bulk/bulk.bench.js';
import { commit } from './commit/commit.bench.js';
import { finder } from './finder/finder.bench.js';
import { http } from './http/http.bench.js';
import { importProducts } from './import/import.bench.js';
import { importOverHttp } from './import/import-http.bench.js';
import { type ComparisonResult, measure } from './measure.js';
import { tableOf, writeResults } from './report.js';
import { shardingFloor } from './sharding/floor.bench.js';
import { sharding } from './sharding/sharding.bench.js';
import { stream } from './stream/stream.bench.js';
import { tenancy } from './tenancy/tenancy.bench.js';

const benchmarks: readonly Benchmark[] = [
  http,
  finder,
  bulk,
  flush,
  stream,
  importProducts,
  importOverHttp,
  sharding,
  shardingFloor,
  commit,
  tenancy,
  audit,
  auditSealing,
];

/** Runs the named benchmarks, or all of them. @returns the exit code: 1 when a name is unknown */
export async function runBenchmarks(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
  if (unknown.length > 0) {
    console.error(`No benchmark is called ${unknown.join(', ')}. There are:`);
    for (const { name, about } of benchmarks) console.error(`  ${name}  ${about}`);
    return 1;
  }
  for (const benchmark of benchmarks) {
    if (names.length === 0 || names.includes(benchmark.name)) await run(benchmark);
  }
  return 0;
}

async function run({ name, about, comparisons }: Benchmark): Promise<void> {
  console.log(`${name}: ${about}\n`);
  const results: ComparisonResult[] = [];
  for await (const comparison of comparisons()) {
    try {
      const result = await measure(comparison);
      results.push(result);
      console.log(tableOf(result));
    } finally {
      await comparison.close?.();
    }
  }
  console.log(`Written to ${writeResults(name, results)}\n`);
}
