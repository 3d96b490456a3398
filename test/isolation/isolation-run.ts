import { MikroORM } from '@mikro-orm/core';
import { type AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { runInContext } from '#libs/context';
import { engines, ormOptions } from '#libs/persistence';
import { GuardedEntityManager, guardedDriver } from '#libs/tenancy';
import { type SuiteDatabase, shopModel, type TestEngine } from '#libs/testing';
import type { IsolationCase, Wall } from './isolation-case.js';
import { type Attempt, as, type Shop, type ShopKeeper } from './isolation-world.js';

/** Opens the witness's database as an application would, on a pool of one connection. */
export async function openWith(
  engine: TestEngine,
  { url }: Pick<SuiteDatabase, 'url'>,
  walls: readonly Wall[],
): Promise<MikroORM<AbstractSqlDriver>> {
  const { driver } = engines[engine.name];
  const options = ormOptions(
    url,
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

/** An EntityManager to make an attempt with. */
export type Opening = (own: Shop) => SqlEntityManager;

/** Makes one attempt of the shop "own" on the shop "target", or on itself, and listens to the answer alone. */
export async function listenTo(
  open: Opening,
  keeper: ShopKeeper,
  { attempt, hasReached, asNobody }: IsolationCase,
  on: 'target' | 'own' = 'target',
): Promise<Outcome> {
  const [{ shop: own }, { shop: target }] = [await keeper.get('own'), await keeper.get(on)];
  return as(own.tenant, async () => {
    const it: Attempt = { em: open(own), fork: () => open(own), own, target };
    const work = async (): Promise<unknown> => attempt(it);
    const result = await (asNobody ? runInContext({}, work) : work()).catch((error: unknown) => error);
    const error = result instanceof Error ? result : undefined;
    // Serialised as an answer would be: loaded collections and references included.
    const told = error
      ? `${error.message} ${error.stack}`
      : JSON.stringify(result, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
    return { reached: (told ?? '').includes(target.canary) || (hasReached?.(result, it) ?? false), error };
  });
}

/** Whether rows of the target are not what they were, or lie among the own. Looked at by who is held by nothing. */
export async function hasLeftTraces(keeper: ShopKeeper, on: 'target' | 'own' = 'target'): Promise<boolean> {
  const { shop: target, rows: before } = await keeper.get(on);
  const isChanged = before !== (await keeper.look(on));
  const isCopied = on === 'target' && (await keeper.look('own')).includes(target.canary);
  return isChanged || isCopied;
}

/** Makes one attempt, and looks at everything that could show rows of the target: the answer, and the rows themselves. */
export async function tryCase(
  open: Opening,
  keeper: ShopKeeper,
  isolationCase: IsolationCase,
  on: 'target' | 'own' = 'target',
): Promise<Outcome> {
  const { reached, error } = await listenTo(open, keeper, isolationCase, on);
  const traces = await hasLeftTraces(keeper, on);
  return { reached: reached || traces, error };
}
