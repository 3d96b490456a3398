import { describe, expect, it } from '@jest/globals';
import {
  aStrategyWorld,
  eachStrategy,
  isolationStrategyCases,
  reachableEngines,
  shopModel,
  strategiesOf,
} from '#libs/testing';
import { StrategyUnsupportedError } from '../errors/strategy-unsupported.error.js';
import { strategyNames } from './strategy-engines.js';

describe('an isolation strategy', () => {
  eachStrategy((strategy, engine) => {
    const world = aStrategyWorld(engine, shopModel);

    it.each(isolationStrategyCases)('$title', ({ run }) => run(world, strategy));
  });

  describe('that an engine cannot express', () => {
    for (const engine of reachableEngines()) {
      describe(`on ${engine.name}`, () => {
        const world = aStrategyWorld(engine, shopModel);

        it('is refused by name, and no other is', () => {
          const able = strategiesOf(engine);
          for (const name of strategyNames) {
            const get = () => world.strategies.get(name, 'shard-1');
            if (able.includes(name)) expect(get().name).toBe(name);
            else expect(get).toThrow(StrategyUnsupportedError);
          }
        });
      });
    }
  });
});
