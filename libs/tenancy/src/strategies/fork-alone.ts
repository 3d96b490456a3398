import type { SqlEntityManager } from '@mikro-orm/sql';
import { runInSystemFrame } from '#libs/persistence';
import type { TenantOrm } from './tenant-databases.js';

/** A unit of work that no request or transaction that happens to be current redirects. */
export function forkAlone(orm: TenantOrm, schema?: string): SqlEntityManager {
  const options = { disableContextResolution: true, useContext: false };
  if (schema === undefined) return orm.em.fork(options) as SqlEntityManager;
  // To choose the schema is the strategies' own business; the guard keeps everybody else from it.
  return runInSystemFrame('open', () => orm.em.fork({ ...options, schema })) as SqlEntityManager;
}
