import type { Benchmark } from '../benchmark.js';
import { reachableEngines } from '../databases.js';
import { compareTenantCounts, rowReads } from './row.comparisons.js';

/** What it costs to keep tenants apart, each figure beside the same work without. */
export const tenancy: Benchmark = {
  name: 'tenancy',
  about: 'reads with and without tenancy, few and many tenants',
  async *comparisons() {
    for (const engine of reachableEngines()) {
      yield* rowReads(engine);
      yield await compareTenantCounts(engine);
    }
  },
};
