import type { Benchmark } from '../benchmark.js';
import { reachableEngines } from '../databases.js';
import { compareEvicted, compareOpenings, compareSignUps, compareStrategies } from './place.comparisons.js';
import { compareTenantCounts, rowReads } from './row.comparisons.js';

/** What it costs to keep tenants apart, each figure beside the same work without. */
export const tenancy: Benchmark = {
  name: 'tenancy',
  about: 'reads with and without tenancy, in each strategy; few and many tenants; places opened, evicted and made',
  async *comparisons() {
    for (const engine of reachableEngines()) {
      yield* rowReads(engine);
      yield await compareStrategies(engine);
      yield await compareOpenings(engine);
      yield await compareTenantCounts(engine);
      if (engine.name === 'sqlite') yield await compareEvicted(engine);
      if (engine.name === 'postgresql') yield await compareSignUps(engine);
    }
  },
};
