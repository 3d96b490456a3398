import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { aDatabase, eachEngine, shopModel } from '#libs/testing';
import { classesOf } from './cases/every-class.js';
import type { IsolationCase, Wall } from './isolation-case.js';
import { openWith, tryCase } from './isolation-run.js';
import { ShopKeeper } from './isolation-world.js';

/** The guard with all walls, with each one away, and none: in tests only, by giving MikroORM its own classes back. */
const BUILDS: Readonly<Record<string, readonly Wall[]>> = {
  'the whole guard': ['entity-manager', 'statements'],
  'no entity-manager overrides': ['statements'],
  'no check of statements': ['entity-manager'],
  'no guard at all': [],
};

const counts = new Map<string, number>();

describe('isolation of the row strategy', () => {
  afterAll(() => {
    const names = [...new Set([...counts.keys()].map((key) => key.split('|')[0]))];
    const rows = names.map((name) => {
      const through = Object.keys(BUILDS).map((build) => [build, counts.get(`${name}|${build}`) ?? 0]);
      return [name, { cases: counts.get(`${name}|cases`), ...Object.fromEntries(through) }];
    });
    console.info('Cases, and how many come through with:');
    console.table(Object.fromEntries(rows));
  });

  eachEngine((engine) => {
    const witness = aDatabase(engine, shopModel);
    const keeper = new ShopKeeper(witness);
    const orms: Record<string, MikroORM<AbstractSqlDriver>> = {};
    const count = (key: string) => counts.set(`${engine.name}|${key}`, (counts.get(`${engine.name}|${key}`) ?? 0) + 1);

    beforeAll(async () => {
      for (const [build, walls] of Object.entries(BUILDS)) orms[build] = await openWith(engine, witness, walls);
    }, 30_000);

    afterAll(async () => {
      for (const orm of Object.values(orms)) await orm.close(true);
    });

    const attemptIn = async (build: string, isolationCase: IsolationCase, onOwnRows = false) => {
      const orm = orms[build];
      if (!orm) throw new Error(`There is no build "${build}".`);
      const open = () => orm.em.fork() as SqlEntityManager;
      return tryCase(open, keeper, isolationCase, onOwnRows ? 'own' : 'target');
    };

    const classes = classesOf(engine);
    describe.each(classes)('%s', (_, cases) => {
      it.each(cases.map((isolationCase) => [isolationCase.title, isolationCase] as const))(
        '%s',
        async (_, isolationCase) => {
          count('cases');
          const seen: string[] = [];
          const wanted: string[] = [];
          for (const [build, walls] of Object.entries(BUILDS)) {
            const { reached, error } = await attemptIn(build, isolationCase);
            const isClosed = isolationCase.closedBy.some((wall) => walls.includes(wall));
            if (reached) count(build);
            const because = reached === isClosed ? ` (${error?.message ?? 'no error'})` : '';
            seen.push(`${build}: ${reached ? 'came through' : 'closed'}${because}`);
            wanted.push(`${build}: ${isClosed ? 'closed' : 'came through'}`);
          }
          const own = await attemptIn('the whole guard', isolationCase, true);
          const isRefused = isolationCase.refusedForAll || isolationCase.asNobody;
          const because = own.reached || isRefused ? '' : ` (${own.error?.message})`;
          seen.push(`own rows: ${own.reached ? 'came through' : 'refused'}${because}`);
          wanted.push(`own rows: ${isRefused ? 'refused' : 'came through'}`);
          expect(seen).toEqual(wanted);
        },
      );
    });
  });
});
