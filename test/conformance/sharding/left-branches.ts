import { crc32 } from 'node:zlib';
import { beginBranch, keepBranch, newId, prepareBranch } from '#libs/persistence';
import type { ShardId } from '#libs/sharding';
import type { ShardSuite } from './layouts.js';
import { Location } from './weather.model.js';

/** A name for a transaction with a home shard. */
export const aTransaction = (home: ShardId) => `rh.${newId().replaceAll('-', '')}.${home}`;

/** The second part of the names of a shard's branches. */
export function placeOf(suite: ShardSuite, shard: ShardId, database?: string): string {
  const dbName = database ?? suite.registry.get(shard).config.get('dbName');
  return `${shard}.${crc32(String(dbName)).toString(16)}`;
}

/** A branch with one new location on a shard, prepared and left like by a process that has died. */
export async function leaveBehind(
  suite: ShardSuite,
  shard: ShardId,
  id: number,
  { transaction, database }: { readonly transaction: string; readonly database?: string },
): Promise<void> {
  const em = suite.registry.entityManager(shard);
  await beginBranch(em, { transaction, branch: placeOf(suite, shard, database) }, () => em.begin());
  await em.insert(Location, { id, continent: 'asia' });
  await prepareBranch(em);
  await keepBranch(em);
  await em.rollback();
}
