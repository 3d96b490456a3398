import { crc32 } from 'node:zlib';
import { type BranchName, newId } from '#libs/persistence';
import type { ShardId } from '../registry/shard-definition.js';
import type { ShardOrm } from '../registry/shared-discovery.js';

/** One transaction in the mode `atomic`: where its decision stands, and what its branches are called by. */
export interface AtomicTransaction {
  /** 32 hexadecimal digits that begin with the time. */
  readonly id: string;
  /** The shard whose own commit decides. */
  readonly homeShard: ShardId;
}

/** Names of servers take 64 characters; id, prefix and dots need 36. */
export const MAX_HOME_ID_LENGTH = 28;

const TRANSACTION = /^rh\.([0-9a-f]{32})\.([a-z][a-z0-9-]*)$/;

/** A transaction that begins now. */
export function newTransaction(homeShard: ShardId): AtomicTransaction {
  return { id: newId().replaceAll('-', ''), homeShard };
}

/** When a transaction began, in milliseconds of the clock of the process that began it. */
export function startOf({ id }: AtomicTransaction): number {
  return Number.parseInt(id.slice(0, 12), 16);
}

/**
 * The name of a transaction's branch on one shard: its first part finds the transaction on every shard, and tells where the
 * decision stands. The second is the shard and its database, since some servers list the branches of all their databases:
 * another deployment's are not ours to touch.
 */
export function branchNameOf({ id, homeShard }: AtomicTransaction, shardId: ShardId, orm: ShardOrm): BranchName {
  return { transaction: `rh.${id}.${homeShard}`, branch: placeOf(shardId, orm) };
}

/** The transaction that a branch in the list of a shard's server belongs to; `undefined` when it is not that shard's. */
export function readBranchName(name: BranchName, shardId: ShardId, orm: ShardOrm): AtomicTransaction | undefined {
  if (name.branch !== placeOf(shardId, orm)) return undefined;
  const [, id, homeShard] = TRANSACTION.exec(name.transaction) ?? [];
  return id && homeShard ? { id, homeShard } : undefined;
}

/** The second part of the names of a shard's branches: its id and its database. */
export function placeOf(shardId: ShardId, orm: ShardOrm): string {
  return `${shardId}.${crc32(orm.config.get('dbName') ?? '').toString(16)}`;
}
