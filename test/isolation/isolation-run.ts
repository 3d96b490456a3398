import { MikroORM } from '@mikro-orm/core';
import { type AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { runInContext } from '#libs/context';
import { engines, ormOptions } from '#libs/persistence';
import { GuardedEntityManager, guardedDriver } from '#libs/tenancy';
import { type SuiteDatabase, shopModel, type TestEngine } from '#libs/testing';
import type { IsolationCase, Wall } from './isolation-case.js';
import { type Attempt, as, rowsOf, type Shop } from './isolation-world.js';

/** Opens the witness's database as an application would, on a pool of one connection. */
export async function openWith(
  engine: TestEngine,
  witness: SuiteDatabase,
  walls: readonly Wall[],
): Promise<MikroORM<AbstractSqlDriver>> {
  const { driver } = engines[engine.name];
  const options = ormOptions(
    witness.url,
    {
      entities: [...shopModel],
      entityManager: walls.includes('entity-manager') ? GuardedEntityManager : SqlEntityManager,
      driver: walls.includes('statements') ? guardedDriver(engines[engine.name]) : driver,
    },
    { max: 1 },
  );
  return MikroORM.init(options);
}

/** What an attempt has come to. */
export interface Outcome {
  /** Whether anything of the target was told, changed or copied. */
  readonly reached: boolean;
  readonly error: Error | undefined;
}

/** Makes one attempt on `target` as `own`, and looks at everything that could show the target's rows. */
export async function tryCase(
  orm: MikroORM<AbstractSqlDriver>,
  witness: SuiteDatabase,
  { attempt, hasReached, asNobody }: IsolationCase,
  shops: { own: Shop; target: Shop },
): Promise<Outcome> {
  const { own, target } = shops;
  const fork = () => orm.em.fork() as SqlEntityManager;
  const it: Attempt = { em: fork(), fork, ...shops };
  const before = await rowsOf(witness, target);
  const work = async (): Promise<unknown> => attempt(it);
  const result = await (asNobody ? runInContext({}, work) : as(own.tenant, work)).catch((error: unknown) => error);
  const error = result instanceof Error ? result : undefined;
  // Serialised as an answer would be: loaded collections and references included.
  const told = error
    ? `${error.message} ${error.stack}`
    : JSON.stringify(result, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
  const isChanged = before !== (await rowsOf(witness, target));
  const isCopied = own !== target && (await rowsOf(witness, own)).includes(target.canary);
  const reached = (told ?? '').includes(target.canary) || isChanged || isCopied || (hasReached?.(result, it) ?? false);
  return { reached, error };
}
