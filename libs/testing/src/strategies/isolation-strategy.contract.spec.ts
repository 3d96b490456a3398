import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { IsolationStrategy, Placement } from '#libs/tenancy';
import { eachEngine } from '../engines/each-engine.js';
import { shopModel } from '../model/shop-model.js';
import { isolationStrategyCases } from './isolation-strategy.contract.js';
import { aStrategyWorld } from './strategy-world.js';

interface Double {
  readonly fault: string;
  /** Start of the title of the case that must find it. */
  readonly foundBy: string;
  /** What it does in another way than the real one. */
  breakOne(real: IsolationStrategy): Partial<IsolationStrategy>;
}

const doubles: readonly Double[] = [
  {
    fault: 'leads every tenant to the place of the first',
    foundBy: 'keeps what one tenant writes',
    breakOne(real) {
      let first: Placement | undefined;
      return {
        apply: (placement) => {
          first ??= placement;
          return real.apply(first);
        },
      };
    },
  },
  {
    fault: 'makes a place anew that is there already',
    foundBy: 'makes a place that is there already no emptier',
    breakOne: (real) => ({
      provision: async (placement) => {
        await real.drop(placement);
        await real.provision(placement);
      },
    }),
  },
  {
    fault: 'leaves what it is to drop',
    foundBy: 'drops all rows of a tenant',
    breakOne: () => ({ drop: async () => {} }),
  },
  {
    fault: 'drops the places of others as well',
    foundBy: 'drops all rows of a tenant',
    breakOne(real) {
      const known: Placement[] = [];
      return {
        provision: async (placement) => {
          known.push(placement);
          await real.provision(placement);
        },
        drop: async () => {
          for (const placement of known) await real.drop(placement);
        },
      };
    },
  },
  {
    fault: 'hides with an empty place that one is lost',
    foundBy: 'says that the place is missing',
    breakOne: (real) => ({
      migrate: async (placement) => {
        await real.provision(placement);
        return [];
      },
    }),
  },
];

/** What a real strategy does, in an object that can be changed. */
function delegateTo(real: IsolationStrategy): IsolationStrategy {
  return {
    name: real.name,
    engines: real.engines,
    nameFor: (tenantId) => real.nameFor(tenantId),
    provision: (placement) => real.provision(placement),
    migrate: (placement) => real.migrate(placement),
    apply: (placement) => real.apply(placement),
    drop: (placement) => real.drop(placement),
  };
}

const caseOf = (start: string) => {
  const [found, ...others] = isolationStrategyCases.filter(({ title }) => title.startsWith(start));
  if (!found || others.length > 0) throw new Error(`"${start}" is not the start of one title.`);
  return found;
};

/** The faults are those of the doubles: one strategy of each kind shows that the cases find them. */
describe('the contract of isolation strategies', () => {
  eachEngine(
    (engine) => {
      const strategy = engine.name === 'sqlite' ? 'database' : 'schema';
      const world = aStrategyWorld(engine, shopModel);
      afterEach(() => {
        jest.restoreAllMocks();
      });

      const replaceBy = (make: (real: IsolationStrategy) => IsolationStrategy) => {
        const double = make(world.strategies.get(strategy, 'shard-1'));
        jest.spyOn(world.strategies, 'get').mockReturnValue(double);
      };

      it.each(doubles)('finds a strategy that $fault', async ({ foundBy, breakOne }) => {
        replaceBy((real) => ({ ...delegateTo(real), ...breakOne(real) }));
        await expect(caseOf(foundBy).run(world, strategy)).rejects.toThrow();
      });

      it('finds nothing where nothing is broken', async () => {
        replaceBy(delegateTo);
        for (const title of new Set(doubles.map(({ foundBy }) => foundBy))) await caseOf(title).run(world, strategy);
      });
    },
    ['sqlite', 'postgresql'],
  );
});
