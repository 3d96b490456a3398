import { describe } from '@jest/globals';
import type { EngineName } from '#libs/persistence';
import type { IsolationStrategyName } from '#libs/tenancy';
import { eachEngine, type TestEngine } from '../engines/each-engine.js';

/** What can be expressed where. Written down here once more, so that a strategy which gives up an engine is missed. */
const EXPRESSIBLE: Readonly<Record<EngineName, readonly IsolationStrategyName[]>> = {
  sqlite: ['row', 'database'],
  mysql: ['row', 'schema', 'database'],
  mariadb: ['row', 'schema', 'database'],
  postgresql: ['row', 'schema', 'search-path', 'database'],
};

/** The isolation strategies that `engine` can express, in the order of the matrix. */
export function strategiesOf({ name }: Pick<TestEngine, 'name'>): readonly IsolationStrategyName[] {
  return EXPRESSIBLE[name];
}

/**
 * Declares the cases of `declareCases` once per engine and isolation strategy that it can express, under the titles
 * `on <engine>` and `with the <strategy> strategy`. The matrix after the run counts by those titles.
 *
 * @param only  strategies the cases are about; default all
 *
 * @example
 * eachStrategy((strategy, engine) => {
 *   const world = aStrategyWorld(engine, shopModel);
 *   it('finds what was saved', async () => {
 *     const tenant = await world.aTenant(strategy);
 *     await world.as(tenant, async (em) => …);
 *   });
 * });
 */
export function eachStrategy(
  declareCases: (strategy: IsolationStrategyName, engine: TestEngine) => void,
  only?: readonly IsolationStrategyName[],
): void {
  eachEngine((engine) => {
    for (const strategy of strategiesOf(engine)) {
      if (only && !only.includes(strategy)) continue;
      describe(`with the ${strategy} strategy`, () => declareCases(strategy, engine));
    }
  });
}
