import type { EntityClass, FilterQuery } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { currentContext } from '#libs/context';
import type { TenantOwned } from '../entities/tenant-owned.js';
import { keysetAfter, keysetOrder, type SortKey } from '../paging/keyset.js';
import { runInSteps, type StepOptions, type StepProgress } from './run-in-steps.js';

/** Which rows a long work is about, and how many of them a step takes. */
export interface WorkThroughOptions<Entity extends object> extends StepOptions {
  /** Asked anew in each step: rows that come or change meanwhile are taken if they are still ahead. Default all. */
  readonly where?: FilterQuery<Entity>;
  /** Default 500. */
  readonly chunkSize?: number;
}

const BY_ID: readonly SortKey[] = [{ path: 'id', direction: 'asc' }];

/**
 * Works through rows of a class in the order of their ids, some at a time: `runInSteps` whose position is the last id. Each
 * row is handed over once, however often the work is interrupted and called again; what `work` changes is saved with it.
 *
 * @param name  see `runInSteps`
 *
 * @example
 * await workThrough(em, Product, 'stock-taking 2026-03', (products) => {
 *   for (const product of products) product.stock += 1;
 * });
 */
export function workThrough<Entity extends TenantOwned>(
  entityManager: SqlEntityManager,
  entity: EntityClass<Entity>,
  name: string,
  work: (rows: Entity[], entityManager: SqlEntityManager) => void | Promise<void>,
  { where = {} as FilterQuery<Entity>, chunkSize = 500, ...options }: WorkThroughOptions<Entity> = {},
): Promise<StepProgress> {
  return runInSteps<string>(
    entityManager,
    name,
    async (tx, after) => {
      const ahead = after === undefined ? {} : keysetAfter<Entity>(BY_ID, [after]);
      const rows = (await tx.find(
        entity,
        { $and: [{ tenantId: currentContext().getTenant().id }, where, ahead] } as FilterQuery<NoInfer<Entity>>,
        {
          orderBy: keysetOrder<Entity>(BY_ID),
          limit: chunkSize,
        },
      )) as Entity[];
      const last = rows.at(-1);
      if (!last) return undefined;
      const position = last.id as string;
      await work(rows, tx);
      return { position, done: rows.length };
    },
    options,
  );
}
